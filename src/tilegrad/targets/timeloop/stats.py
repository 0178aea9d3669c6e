"""What ``timeloop-model`` prints: cycles, energy, area, utilisation."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tilegrad.targets.tool import ToolError


@dataclass(frozen=True)
class Stats:
    """One evaluation: cycles, energy in uJ (two decimals, or summed parts where printed)."""

    cycles: int
    energy_uj: float


_TOTAL = re.compile(r"Energy \(total\)\s*:\s*([0-9.eE+]+)\s*pJ")
_CYCLES = re.compile(r"^Cycles:\s*(\d+)\s*$", re.MULTILINE)
_ENERGY = re.compile(r"^Energy:\s*([0-9.eE+-]+)\s*uJ\s*$", re.MULTILINE)


def parse_stats(text: str) -> Stats:
    """Return the figures of a ``timeloop-model.stats.txt``.

    The energy is the sum of the levels' totals (0.01 pJ) where it agrees with the summary's two
    decimals, else the summary's. Raises ``ToolError`` naming the line that is missing.
    """
    cycles, energy = _CYCLES.search(text), _ENERGY.search(text)
    for found, line in ((cycles, "Cycles: N"), (energy, "Energy: X uJ")):
        if found is None:
            raise ToolError(f"the stats have no line {line!r}")
    assert cycles is not None
    assert energy is not None
    printed = float(energy[1])
    summed = sum(float(part) for part in _TOTAL.findall(text)) * 1e-6
    return Stats(int(cycles[1]), summed if abs(summed - printed) <= 0.006 else printed)

"""Energy per access as a function of size: pluggable tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tilegrad.accelerator.expression import Value
from tilegrad.accelerator.level import ACCESSES, Level


class EnergyTable(Protocol):
    """Gives the energy of one word's access at a level."""

    name: str

    def access_pj(self, level: Level, instance_kb: Value, block: Value) -> dict[str, Value]:
        """Return pJ per word for each of ``reads``, ``fills`` and ``updates``.

        ``instance_kb`` is the size of what one access reads (an instance, or the cluster that
        shares its accesses), ``block`` the words of one access.
        """
        ...


@dataclass(frozen=True)
class PatTable:
    """Timeloop's built-in PAT energies, linear in the size of one instance.

    ``(1 + (5/99.5)(KB - 0.5))*bits/16`` pJ per SRAM or register access and ``200*bits/16`` pJ per
    DRAM access: the numbers that DOSA's public dataset was made with. Reads and writes cost alike.
    """

    name = "pat"

    def access_pj(self, level: Level, instance_kb: Value, block: Value) -> dict[str, Value]:  # noqa: ARG002
        """Return pJ per word; see ``EnergyTable.access_pj``."""
        if level.kind == "dram":
            per_word: Value = 200.0 * level.word_bits / 16
        else:
            per_word = (1 + (5 / 99.5) * (instance_kb - 0.5)) * (level.word_bits / 16)
        return dict.fromkeys(ACCESSES, per_word)


@dataclass(frozen=True)
class AccelergyTable:
    """Energies of Accelergy's table (ERT): constants per access of a block, fills are writes.

    They hold for the sizes that Accelergy was run with, whatever the hardware.
    """

    name = "accelergy"

    def access_pj(self, level: Level, instance_kb: Value, block: Value) -> dict[str, Value]:  # noqa: ARG002
        """Return pJ per word; see ``EnergyTable.access_pj``."""
        if level.block_pj is None:
            return dict.fromkeys(ACCESSES, 0.0)
        read, write = level.block_pj["read"], level.block_pj["write"]
        return {"reads": read / block, "fills": write / block, "updates": write / block}


ENERGY_TABLES: dict[str, type[EnergyTable]] = {"pat": PatTable, "accelergy": AccelergyTable}

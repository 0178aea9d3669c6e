"""What was measured: a table that ``train.py data=table`` and ``tilegrad calibrate`` read."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilegrad.accelerator import Accelerator
from tilegrad.errors import DataError
from tilegrad.files import write_text
from tilegrad.mapping import LoopNest, format_shorthand, parse_shorthand
from tilegrad.workload import Workload


@dataclass(frozen=True)
class Measured:
    """One program: the layer's place, its mapping ``[level, dim]``, what ran, and its cycles.

    ``predicted``: its cycles, as predicted before; ``cycles`` are the ``cold`` or the ``warm``
    ones, as the accelerator's machine is.
    """

    round: int
    layer: int
    nest: LoopNest
    program: str
    predicted: float
    cycles: int
    cold: int
    warm: int


def write_measured(
    path: Path,
    rows: Sequence[Measured],
    workload: Workload,
    hardware: Mapping[str, float],
    accelerator: Accelerator,
) -> None:
    """Write the table: a row for each program, at least one, on the one hardware."""
    text = io.StringIO()
    cells = [_cells(row, workload, hardware, accelerator) for row in rows]
    table = csv.DictWriter(text, cells[0].keys(), lineterminator="\n")
    table.writeheader()
    table.writerows(cells)
    write_text(path, text.getvalue())


def _cells(
    row: Measured, workload: Workload, hardware: Mapping[str, float], accelerator: Accelerator
) -> dict[str, Any]:
    layer = workload.layers[row.layer]
    return {
        "round": row.round,
        "layer": layer.name,
        "program": row.program,
        "mapping.mapping": format_shorthand(row.nest, accelerator),
        **{f"prob.{name}": size for name, size in layer.as_dict().items()},
        **{name: f"{size:g}" for name, size in hardware.items()},
        "predicted_cycles": f"{row.predicted:.1f}",
        "cold_cycles": row.cold,
        "warm_cycles": row.warm,
        "target.cycle": row.cycles,
    }


def read_measured(
    path: Path,
    workload: Workload,
    hardware: Mapping[str, float],
    accelerator: Accelerator,
) -> list[Measured]:
    """Return what ``write_measured`` wrote of a search; ``DataError`` names what is wrong."""
    places = {layer.name: place for place, layer in enumerate(workload.layers)}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
            if any(float(row[name]) != size for row in rows for name, size in hardware.items()):
                raise ValueError("hardware")
            return [
                Measured(
                    int(row["round"]),
                    places[row["layer"]],
                    parse_shorthand(row["mapping.mapping"], accelerator),
                    row["program"],
                    float(row["predicted_cycles"]),
                    int(row["target.cycle"]),
                    int(row["cold_cycles"]),
                    int(row["warm_cycles"]),
                )
                for row in rows
            ]
    except (KeyError, ValueError, OSError) as error:
        raise DataError(f"{path} is no table of this search's measurements ({error!r})") from None

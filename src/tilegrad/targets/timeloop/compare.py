"""Timeloop's figures beside a run's own, layer by layer."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilegrad.accelerator import Accelerator
from tilegrad.checks import positive_int, positive_number
from tilegrad.files import write_text
from tilegrad.record import LayerResult, read_result
from tilegrad.targets.timeloop.export import export_result
from tilegrad.targets.timeloop.runner import ModelRunner
from tilegrad.targets.timeloop.stats import Stats, ToolError

COLUMNS = (
    "layer", "cycles", "timeloop_cycles", "cycles_error_percent",
    "energy_uj", "timeloop_energy_uj", "energy_error_percent", "problem",
)  # fmt: skip


@dataclass(frozen=True)
class TimeloopTarget:
    """Exports a run's layers, evaluates them with ``timeloop-model`` and writes timeloop.csv.

    ``timeout`` is in seconds per layer; ``workers`` None is one per processor; ``cache`` is a
    directory of past evaluations (None: beside the exported files).
    """

    command: str = "timeloop-model"
    timeout: float = 120.0
    workers: int | None = None
    cache: str | None = None
    name: str = "timeloop"

    def __post_init__(self) -> None:
        positive_number("target.timeout", self.timeout)
        if self.workers is not None:
            positive_int("target.workers", self.workers)

    def compare(self, directory: Path, accelerator: Accelerator) -> list[str]:
        """Evaluate the result in ``directory``; return what there is to say, a line each.

        Nothing that the tool does raises: a missing, hanging, crashing or babbling tool is a line.
        """
        exported = directory / self.name
        layers = export_result(directory, accelerator, "0.3", exported)
        cache = Path(self.cache) if self.cache else exported / "cache"
        workers = self.workers or os.cpu_count() or 1
        try:
            found = ModelRunner(self.command, self.timeout, workers, cache).run(layers)
        except ToolError as error:
            return [str(error)]
        own = read_result(directory).layers
        rows = [_row(layer, stats) for layer, stats in zip(own, found, strict=True)]
        table = directory / "timeloop.csv"
        _write(table, rows)
        errors = [str(stats) for stats in found if isinstance(stats, ToolError)]
        return [*dict.fromkeys(errors), *_summary(rows), f"layer by layer: {table}"]


def _row(layer: LayerResult, stats: Stats | ToolError) -> dict[str, Any]:
    row = {"layer": layer.name, "cycles": layer.cycles, "energy_uj": layer.energy_uj}
    if isinstance(stats, ToolError):
        return {**row, "problem": str(stats)}
    return {
        **row,
        "timeloop_cycles": stats.cycles,
        "cycles_error_percent": _percent(layer.cycles, stats.cycles),
        "timeloop_energy_uj": stats.energy_uj,
        "energy_error_percent": _percent(layer.energy_uj, stats.energy_uj),
    }


def _percent(ours: float, theirs: float) -> float | None:
    return round(100 * (ours / theirs - 1), 6) if theirs else None


def _summary(rows: list[dict[str, Any]]) -> list[str]:
    lines = []
    for quantity in ("cycles", "energy"):
        errors = [row.get(f"{quantity}_error_percent") for row in rows]
        known = [abs(error) for error in errors if error is not None]
        if known:
            lines.append(
                f"{quantity}: {len(known)} of {len(rows)} layers compared with Timeloop, "
                f"largest disagreement {max(known):.4g} %"
            )
    return lines


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(path, text.getvalue())

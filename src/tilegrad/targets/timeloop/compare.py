"""Timeloop's figures beside a run's own, layer by layer."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tilegrad.accelerator import Accelerator
from tilegrad.checks import positive_int, positive_number
from tilegrad.record import LayerResult, read_result
from tilegrad.targets.table import disagreements, percent, write_table
from tilegrad.targets.timeloop.export import export_result
from tilegrad.targets.timeloop.runner import ModelRunner
from tilegrad.targets.timeloop.stats import Stats
from tilegrad.targets.tool import ToolError

COLUMNS = (
    "layer", "cycles", "timeloop_cycles", "cycles_error_percent",
    "energy_uj", "timeloop_energy_uj", "energy_error_percent", "problem",
)  # fmt: skip
ERRORS = {"cycles": "cycles_error_percent", "energy": "energy_error_percent"}


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
    runs_padded: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive_number("target.timeout", self.timeout)
        if self.workers is not None:
            positive_int("target.workers", self.workers)

    def check(self, accelerator: Accelerator) -> None:
        """Take any accelerator; see ``Target.check``."""

    def export(self, directory: Path, accelerator: Accelerator) -> list[Path]:
        """Write Timeloop's input of every layer; see ``Target.export``."""
        return export_result(directory, accelerator, "0.3", directory / self.name)

    def compare(self, directory: Path, accelerator: Accelerator) -> list[str]:
        """Evaluate the result in ``directory``; see ``Target.compare``."""
        layers = self.export(directory, accelerator)
        cache = Path(self.cache) if self.cache else directory / self.name / "cache"
        workers = self.workers or os.cpu_count() or 1
        try:
            found = ModelRunner(self.command, self.timeout, workers, cache).run(layers)
        except ToolError as error:
            return [str(error)]
        own = read_result(directory).layers
        rows = [_row(layer, stats) for layer, stats in zip(own, found, strict=True)]
        table = directory / "timeloop.csv"
        write_table(table, COLUMNS, rows)
        errors = [str(stats) for stats in found if isinstance(stats, ToolError)]
        return [
            *dict.fromkeys(errors),
            *disagreements(rows, ERRORS, "Timeloop"),
            f"layer by layer: {table}",
        ]


def _row(layer: LayerResult, stats: Stats | ToolError) -> dict[str, Any]:
    row = {"layer": layer.name, "cycles": layer.cycles, "energy_uj": layer.energy_uj}
    if isinstance(stats, ToolError):
        return {**row, "problem": str(stats)}
    return {
        **row,
        "timeloop_cycles": stats.cycles,
        "cycles_error_percent": percent(layer.cycles, stats.cycles),
        "timeloop_energy_uj": stats.energy_uj,
        "energy_error_percent": percent(layer.energy_uj, stats.energy_uj),
    }

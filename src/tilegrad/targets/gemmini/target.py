"""Measured cycles beside a run's own, layer by layer: its programs on a Gemmini."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tilegrad.accelerator import Accelerator
from tilegrad.checks import flag, positive_int, positive_number
from tilegrad.errors import ConfigError, TilegradError
from tilegrad.files import write_json
from tilegrad.machines.gemmini.system import System
from tilegrad.machines.gemmini.template import check_template
from tilegrad.record import RESULT, LayerResult, Result, parse_result, read_result
from tilegrad.targets.design import layer_directory
from tilegrad.targets.gemmini.export import export_gemmini
from tilegrad.targets.gemmini.simulator import (
    Found,
    Simulator,
    check_arguments,
    check_compiler,
)
from tilegrad.targets.table import disagreements, percent, write_table
from tilegrad.targets.tool import ToolError

COLUMNS = (
    "layer", "program", "cycles", "predicted_cycles", "measured_cycles", "cold_cycles",
    "warm_cycles", "cycles_error_percent", "predicted_error_percent", "problem",
)  # fmt: skip
MEASURED = {
    "measured_cycles": "measured_cycles",
    "cold_cycles": "measured_cold_cycles",
    "warm_cycles": "measured_warm_cycles",
}
"""Fields of a layer in result.json by the table's column."""
ERRORS = {"cycles": "cycles_error_percent", "predicted cycles": "predicted_error_percent"}


@dataclass(frozen=True)
class GemminiTarget:
    """Exports a program per layer; runs each on ``simulator`` (None: exports only).

    ``arguments`` are the simulator's, ``compile`` the command that makes a program of a C file
    (None: the simulator takes C files); ``timeout`` is in seconds for each program, ``workers``
    None one per processor. Up to ``per_boot`` programs run in one process, one after another.
    ``verify``: programs also compute on known data, and a wrong result is an error.
    """

    simulator: str | None = None
    arguments: Sequence[str] = ("{program}",)
    compile: str | None = None
    timeout: float = 3600.0
    workers: int | None = None
    per_boot: int = 1
    verify: bool = True
    name: str = "gemmini"
    runs_padded: ClassVar[bool] = False

    def __post_init__(self) -> None:
        positive_number("target.timeout", self.timeout)
        if self.workers is not None:
            positive_int("target.workers", self.workers)
        positive_int("target.per_boot", self.per_boot)
        flag("target.verify", self.verify)
        for field, command in (("simulator", self.simulator), ("compile", self.compile)):
            if command is not None and not (isinstance(command, str) and command.strip()):
                raise ConfigError(f"target.{field} is {command!r}; legal: a command, or null")
        check_arguments(self.arguments)
        if self.compile is not None:
            check_compiler(self.compile)

    def check(self, accelerator: Accelerator) -> None:
        """Refuse what is no Gemmini; see ``Target.check``."""
        check_template(accelerator, f"target={self.name}")

    def export(self, directory: Path, accelerator: Accelerator) -> list[Path]:
        """Write the generator's configuration and C programs; see ``Target.export``."""
        place = directory / self.name
        return list(export_gemmini(directory, accelerator, place, self.verify).programs)

    def compare(self, directory: Path, accelerator: Accelerator) -> list[str]:
        """Measure the result in ``directory``; see ``Target.compare``.

        What was measured is added to result.json, warm or cold as ``accelerator.machine.warm``.
        """
        exported = directory / self.name
        try:
            programs = self.export(directory, accelerator)
            if self.simulator is None:
                written = f"{len(programs)} programs in {exported}"
                return [f"{written}; none was run, as target.simulator is null"]
            found = self.run_programs(exported, programs)
        except TilegradError as error:
            return [str(error)]
        result = read_result(directory)
        warm = System.of(accelerator).warm
        rows = [_row(number, layer, found, warm) for number, layer in enumerate(result.layers)]
        write_measured(directory, result, rows)
        table = directory / "gemmini.csv"
        write_table(table, COLUMNS, rows)
        write_json(directory / "gemmini.json", {"layers": rows})
        errors = [str(cycles) for cycles in found.values() if isinstance(cycles, ToolError)]
        return [*errors, *disagreements(rows, ERRORS, "Gemmini"), f"layer by layer: {table}"]

    def run_programs(self, exported: Path, programs: list[Path]) -> dict[str, Found]:
        """Return each exported program's cycles, or what went wrong, by name.

        Raises ``ToolError`` where there is no such simulator or compiler.
        """
        return self._simulator(exported).run(programs)

    def _simulator(self, exported: Path) -> Simulator:
        assert self.simulator is not None
        workers = self.workers or os.cpu_count() or 1
        arguments = tuple(map(str, self.arguments))
        return Simulator(
            self.simulator, arguments, self.compile, self.timeout, workers, exported,
            self.per_boot, self.verify,
        )  # fmt: skip


def write_measured(directory: Path, result: Result, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write result.json anew with what was measured of its layers, and of all if all were."""
    found = result.as_json()
    for layer, row in zip(found["layers"], rows, strict=True):
        layer |= {name: row[field] for field, name in MEASURED.items() if field in row}
    if not any("measured_cycles" in row for row in rows):
        return
    if all("measured_cycles" in row for row in rows):
        cycles = sum(
            layer.count * row["measured_cycles"]
            for layer, row in zip(result.layers, rows, strict=True)
        )
        figures = {"edp": result.energy_uj * cycles, "cycles": cycles, "programs": len(rows)}
        found["measured"] = figures
    place = directory / RESULT
    write_json(place, parse_result(found, str(place)).as_json())


def _row(
    number: int, layer: LayerResult, found: Mapping[str, Found], warm: float
) -> dict[str, Any]:
    program = layer_directory(number, layer.name)
    row: dict[str, Any] = {"layer": layer.name, "program": program, "cycles": layer.cycles}
    predicted = layer.predicted_cycles
    if predicted is not None:
        row["predicted_cycles"] = predicted
    measured = found.get(program, ToolError("Gemmini has no program of it (gemmini/README.md)"))
    if isinstance(measured, ToolError):
        return {**row, "problem": str(measured)}
    cycles = measured.as_measured(warm)
    row |= {
        "measured_cycles": cycles,
        "cold_cycles": measured.cold,
        "warm_cycles": measured.warm,
        "cycles_error_percent": percent(layer.cycles, cycles),
    }
    if predicted is not None:
        row["predicted_error_percent"] = percent(predicted, cycles)
    return row

"""Simulator logs as a table of measured mappings, to evaluate or to train on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from tilegrad.accelerator import Accelerator
from tilegrad.checks import choice
from tilegrad.errors import DataError, MappingError, unknown
from tilegrad.files import make_directory, replacing
from tilegrad.mapping import parse_shorthand
from tilegrad.targets.gemmini.record import Measurement, read_log
from tilegrad.workload import Problem

SUFFIXES = (".csv", ".parquet")
WARM, COLD, ALL = EXECUTIONS = ("warm", "cold", "all")
"""Which executions of a program: the last one, the first one, or every one."""


def parse_logs(
    logs: Sequence[Path], accelerator: Accelerator, out: Path, execution: str = WARM
) -> int:
    """Write the measurements of all logs as one table; return its number of rows.

    Columns as ``tilegrad evaluate`` reads them: ``mapping.mapping``, ``prob.*``, the hardware
    parameters, ``target.cycle``; and ``layer``, the name in the export. Of calls with a tile of
    their own ``call`` and ``library_tile`` in place of the mapping. Raises ``DataError``
    naming the log and line that is illegal, a wrong result among them; nothing is written then.
    """
    if out.suffix not in SUFFIXES:
        raise DataError(unknown("kind of table", out.suffix, SUFFIXES, str(out)))
    choice("--execution", execution, EXECUTIONS)
    rows = []
    for log in logs:
        for measured in read_log(log, accelerator.parameters):
            measured.check_result()
            row = _row(measured, accelerator)
            taken = {WARM: measured.cycles[-1:], COLD: measured.cycles[:1], ALL: measured.cycles}
            rows += [{**row, "target.cycle": cycles} for cycles in taken[execution]]
    table = pd.DataFrame(rows)
    make_directory("--out", out.parent)
    with replacing(out) as temporary:
        if out.suffix == ".csv":
            table.to_csv(temporary, index=False)
        else:
            table.to_parquet(temporary, index=False)
    return len(rows)


def _row(measured: Measurement, accelerator: Accelerator) -> dict[str, Any]:
    try:
        problem = Problem.from_fields(measured.layer, measured.problem)
        nest = parse_shorthand(measured.mapping, accelerator.running(problem.shape))
    except MappingError as error:
        raise DataError(f"{measured.place}: {error}") from None
    # A mapping that only stands for a call may cover more than the layer.
    if measured.call is not None:
        said = {"mapping.mapping": "", "call": measured.call.name}
        return _cells(measured, {**said, "library_tile": measured.call.sizes})
    stated = torch.tensor(list(measured.problem.values())[: nest.bounds().shape[-1]])
    if not torch.equal(nest.bounds(), stated.double()):
        raise DataError(
            f"{measured.place}: the mapping's factors multiply to {nest.bounds().long().tolist()}, "
            f"the layer's bounds are {stated.tolist()}"
        )
    return _cells(measured, {"mapping.mapping": measured.mapping})


def _cells(measured: Measurement, program: dict[str, str]) -> dict[str, Any]:
    return {
        "layer": measured.layer,
        **program,
        **{f"prob.{name}": value for name, value in measured.problem.items()},
        **measured.hardware,
    }

"""Tables that the jobs of a sweep leave, put together: seeds and draws as medians and ranges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from tilegrad.report.measured_curves import CURVE, curves_plot
from tilegrad.report.transfer import PANELS, TRANSFER, transfer_plot
from tilegrad.sweeps.by_machine import by_machine, cells
from tilegrad.sweeps.record import COMPLETE, JobRecord
from tilegrad.sweeps.table import SEED, settings_of

MACHINE, COUNT = "machine", "measurements"


@dataclass(frozen=True)
class Pooled:
    """One table of all jobs, its picture, and its medians as the cells of a Markdown table.

    ``stem`` names the files, ``title`` the section; ``picture``: None without one.
    """

    stem: str
    title: str
    table: pd.DataFrame
    picture: Figure | None
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def pooled_tables(records: Sequence[JobRecord]) -> Iterator[Pooled]:
    """Yield what the jobs left of other machines' measurements, of measured rounds, of machines."""
    transfers = _together(records, TRANSFER)
    if len(transfers):
        yield _transfers(transfers)
    curves = _together(records, CURVE)
    if len(curves):
        yield _curves(curves)
    for number, table in enumerate(by_machine(records)):
        stem = f"machines-{number}" if number else "machines"
        yield Pooled(stem, "By machine", table, None, *cells(table))


def _together(records: Sequence[JobRecord], name: str) -> pd.DataFrame:
    """Return all jobs' tables of that name, with ``setting`` and ``seed`` (the job's number)."""
    found = []
    for record in records:
        path = Path(record.results) / name
        if record.status == COMPLETE and path.exists():
            given = settings_of(record, records)
            setting = ", ".join(f"{key}={value}" for key, value in given.items() if key != SEED)
            told = {"setting": setting, SEED: given.get(SEED, str(record.number))}
            found.append(pd.read_csv(path).assign(**told))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _transfers(table: pd.DataFrame) -> Pooled:
    named = table.setting.where(table.setting == "", table.setting + ": ") + table[MACHINE]
    figures = [name for name in PANELS if name in table]
    rows = []
    for (machine, count), part in table.groupby([named, COUNT], sort=False):
        cells = [_range(100 * part[name], ".1f") for name in figures]
        rows.append([str(machine), str(count), str(len(part)), *cells])
    header = [MACHINE, COUNT, "seeds and draws", *(PANELS[name] for name in figures)]
    picture = transfer_plot(table.assign(**{MACHINE: named}))
    return Pooled("transfer", "On the other machine", table, picture, header, rows)


def _curves(table: pd.DataFrame) -> Pooled:
    """Return the best measured EDP after the last measurement of each round."""
    ends = table.groupby(["setting", SEED, "round"], sort=False).tail(1)
    rows = []
    for (setting, number), part in ends.groupby(["setting", "round"], sort=False):
        counts = _range(part[COUNT], "g")
        rows.append([str(setting), str(number), counts, str(len(part)), _range(part.edp, ".4g")])
    header = ["setting", "round", COUNT, "seeds", "EDP of the best measured design [uJ*cycles]"]
    return Pooled("measured", "Measured rounds", table, curves_plot(table), header, rows)


def _range(found: pd.Series, form: str) -> str:
    median, least, most = (
        f"{value:{form}}" for value in (found.median(), found.min(), found.max())
    )
    return median if least == most else f"{median} ({least} to {most})"

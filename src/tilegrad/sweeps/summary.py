"""The summary of a sweep: summary.csv, summary.md, seeds.csv, summary.png and a table to read."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from tilegrad.files import write_bytes, write_text
from tilegrad.report.theme import png_bytes
from tilegrad.sweeps.importances import importance_plot, importance_table, importances_over_seeds
from tilegrad.sweeps.number import shown
from tilegrad.sweeps.plot import settings_plot, trials_plot
from tilegrad.sweeps.pooled import Pooled, pooled_tables
from tilegrad.sweeps.record import FAILED, RUNNING, JobRecord, sweep_records
from tilegrad.sweeps.study import JOURNAL
from tilegrad.sweeps.table import (
    common_fields,
    figure_columns,
    jobs_table,
    over_seeds,
    varied_fields,
)

PRINTED = 2
"""Figures beside the optimised one and the seconds in the table on the terminal."""


@dataclass(frozen=True)
class Sweep:
    """The jobs of a sweep; ``metric`` is the one that it optimises."""

    directory: Path
    metric: str
    records: Sequence[JobRecord]
    jobs: pd.DataFrame
    varied: Sequence[str]

    @classmethod
    def read(cls, directory: Path, metric: str) -> Sweep:
        """Read what the jobs left."""
        records = sweep_records(directory)
        return cls(directory, metric, records, jobs_table(records), varied_fields(records))

    @property
    def failed(self) -> list[JobRecord]:
        """Jobs that failed, and those whose process ended without a word."""
        return [record for record in self.records if record.status in (FAILED, RUNNING)]

    @property
    def figures(self) -> list[str]:
        """The figures, the optimised one of the first target first, seconds last."""
        names = figure_columns(self.jobs, self.varied)

        def rank(name: str) -> int:
            if name.rpartition(".")[2] == self.metric:
                return 0
            return 2 if name.endswith("seconds") else 1

        return sorted(names, key=rank)

    @property
    def searched(self) -> bool:
        """Whether trials were chosen by a search."""
        return (self.directory / JOURNAL).exists()


def summarise(sweep: Sweep, console: Console) -> None:
    """Write the summary into the sweep's directory and print its table."""
    if not sweep.records:
        return
    seeds = over_seeds(sweep.jobs, sweep.varied)
    write_text(sweep.directory / "summary.csv", sweep.jobs.to_csv(index=False))
    if seeds is not None:
        write_text(sweep.directory / "seeds.csv", seeds.to_csv(index=False))
    pooled = list(pooled_tables(sweep.records))
    for each in pooled:
        write_text(sweep.directory / f"{each.stem}.csv", each.table.to_csv(index=False))
        if each.picture is not None:
            write_bytes(sweep.directory / f"{each.stem}.png", png_bytes(each.picture))
    write_text(sweep.directory / "summary.md", markdown(sweep, seeds, pooled))
    if sweep.figures:
        draw = trials_plot if sweep.searched else settings_plot
        figure = draw(sweep.jobs, sweep.varied, sweep.figures)
        write_bytes(sweep.directory / "summary.png", png_bytes(figure))
    _summarise_importances(sweep)
    console.print(_rich(sweep, seeds))
    for record in sweep.failed:
        text = f"job {failure(sweep, record)}"
        console.print(text, soft_wrap=True, markup=False, highlight=False)
    console.print(f"saved in {sweep.directory}", soft_wrap=True)


def _summarise_importances(sweep: Sweep) -> None:
    """Write importances.csv and importances.png where jobs measured which columns matter."""
    found = importances_over_seeds(sweep.records)
    if len(found):
        write_text(sweep.directory / "importances.csv", found.to_csv(index=False))
        write_bytes(sweep.directory / "importances.png", png_bytes(importance_plot(found)))


def markdown(sweep: Sweep, seeds: pd.DataFrame | None, pooled: Sequence[Pooled] = ()) -> str:
    """Return the summary as Markdown: settings, figures, and the failures with their errors.

    ``pooled``: tables of all jobs, a section of each.
    """
    shared = " ".join(f"{key}={value}" for key, value in common_fields(sweep.records).items())
    lines = [f"# {len(sweep.records)} jobs", ""]
    if shared:
        lines += [f"All with `{shared}`.", ""]
    if seeds is not None:
        lines += ["Median over the seeds, from the least to the most in brackets.", ""]
    lines += _markdown_table(*cells(sweep, seeds, sweep.figures))
    for each in pooled:
        about = "Medians, from the least to the most in brackets."
        lines += ["", f"## {each.title}", "", about, "", *_markdown_table(each.header, each.rows)]
    found = importances_over_seeds(sweep.records)
    if len(found):
        lines += ["", "## Importances", "", *_markdown_table(*importance_table(found))]
    if sweep.failed:
        lines += ["", "## Failed", "", *(f"- job {failure(sweep, job)}" for job in sweep.failed)]
    return "\n".join(lines) + "\n"


def cells(
    sweep: Sweep, seeds: pd.DataFrame | None, figures: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of the summary's table, as texts."""
    if seeds is None:
        fields = ["job", *sweep.varied]
        rows = [
            [str(row[name]) for name in fields] + [shown(name, row[name]) for name in figures]
            for row in sweep.jobs[sweep.jobs.status != FAILED].to_dict("records")
        ]
        return [*fields, *figures], rows
    fields = [*(name for name in sweep.varied if name != "seed"), "seeds"]
    rows = [
        [str(row[name]) for name in fields] + [_range(row, name) for name in figures]
        for row in seeds.to_dict("records")
    ]
    return [*fields, *figures], rows


def _range(row: Mapping[Hashable, Any], name: str) -> str:
    median, least, most = (row[f"{name}.{what}"] for what in ("median", "min", "max"))
    if not least < most:
        return shown(name, median)
    return f"{shown(name, median)} ({shown(name, least)} to {shown(name, most)})"


def _markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(line).replace("\n", " ") + " |" for line in lines]


def _rich(sweep: Sweep, seeds: pd.DataFrame | None) -> Table:
    seconds = [name for name in sweep.figures if name.endswith("seconds")]
    others = [name for name in sweep.figures if name not in seconds]
    header, rows = cells(sweep, seeds, [*others[: PRINTED + 1], *seconds[:1]])
    table = Table(title=f"{len(sweep.records)} jobs, {len(sweep.failed)} failed")
    for name in header:
        # With one target its name says nothing, and words wrap better than underscores.
        plain = name if len(_targets(sweep)) > 1 else name.rpartition(".")[2]
        table.add_column(plain.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _targets(sweep: Sweep) -> set[str]:
    return {name.partition(".")[0] for name in sweep.figures if name.endswith(sweep.metric)}


def failure(sweep: Sweep, record: JobRecord) -> str:
    """Return a failed job's number, what it tried, and its error."""
    tried = [o for o in record.overrides if o.partition("=")[0] in sweep.varied]
    error = record.error or "its process ended without a word"
    return f"{record.number} ({' '.join(tried)}): {error}" if tried else f"{record.number}: {error}"

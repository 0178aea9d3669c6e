"""Folds that are machines: how each job's settings do on every one, over the seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from tilegrad.sweeps.record import COMPLETE, JobRecord
from tilegrad.sweeps.table import SEED, settings_of

TABLES = "folds_*.csv"
FIGURE = "pair_accuracy_micro"

MACHINE = "="
"""In the name of a fold that is a machine or a pair of two; folds of layers are numbered, and
another seed draws others."""


def by_machine(records: Sequence[JobRecord]) -> Iterator[pd.DataFrame]:
    """Yield a table for each set of machines that jobs were tested on: all their folds.

    Beside the columns of ``folds_TARGET.csv``: ``setting`` (of what the jobs differ in but the
    seed, with the target where there are several) and ``seed``.
    """
    done = [record for record in records if record.status == COMPLETE]
    found = [(record, target, table) for record in done for target, table in _folds(record)]
    several = len({target for _, target, _ in found}) > 1
    sets: dict[tuple[str, ...], list[pd.DataFrame]] = {}
    for record, target, table in found:
        given = settings_of(record, records)
        told = [f"{key}={value}" for key, value in given.items() if key != SEED]
        setting = ", ".join([*told, target] if several else told)
        named = table.assign(setting=setting, seed=given.get(SEED, str(record.number)))
        sets.setdefault(tuple(table.fold), []).append(named)
    for each in sets.values():
        yield pd.concat(each, ignore_index=True)


def cells(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of pairs in the right order [%], a column for each setting.

    Medians over the seeds with the least and the most; the mean over all machines at the end.
    """
    settings = list(dict.fromkeys(table.setting))
    rows = []
    for fold, part in table.groupby("fold", sort=False):
        rows.append([str(fold), *(_range(part[part.setting == each]) for each in settings)])
    means = table.groupby(["setting", SEED], sort=False)[FIGURE].mean().reset_index()
    rows.append(["mean", *(_range(means[means.setting == each]) for each in settings)])
    return ["pairs in the right order, %", *settings], rows


def _range(part: pd.DataFrame) -> str:
    found = 100 * part[FIGURE]
    median, least, most = (f"{each:.1f}" for each in (found.median(), found.min(), found.max()))
    return median if least == most else f"{median} ({least} to {most})"


def _folds(record: JobRecord) -> Iterator[tuple[str, pd.DataFrame]]:
    for path in sorted(Path(record.results).glob(TABLES)):
        table = pd.read_csv(path)
        if len(table) and table.fold.astype(str).str.contains(MACHINE, regex=False).all():
            yield path.stem.partition("_")[2], table

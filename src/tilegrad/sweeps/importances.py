"""Which columns matter to the models of a sweep: medians and ranges over the seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tilegrad.errors import ConfigError
from tilegrad.files import read_json
from tilegrad.record import RESULT
from tilegrad.report.theme import MAIN_COLOUR, themed
from tilegrad.sweeps.record import COMPLETE, JobRecord
from tilegrad.sweeps.table import SEED, settings_of

SHOWN = 10
"""Columns of a setting and measure in the picture and the Markdown table."""

WHOLE = {"bound": "layer", "stride": "layer", "hardware": "hardware"}
"""Kinds of columns that tell of no level."""

ARITHMETIC = ("arithmetic", "macs")


def importances_over_seeds(records: Sequence[JobRecord]) -> pd.DataFrame:
    """Return ``setting``, ``measure``, ``column``, ``median``, ``min``, ``max``, ``seeds``.

    The largest medians come first; no row where no job measured any.
    """
    columns = ["setting", "measure", "column", "value"]
    rows = [
        row for record in records if record.status == COMPLETE for row in _rows(record, records)
    ]
    groups = pd.DataFrame(rows, columns=columns).groupby(columns[:3], sort=False)["value"]
    found = groups.agg(["median", "min", "max", "size"]).rename(columns={"size": "seeds"})
    found = found.reset_index()
    found["size"] = found["median"].abs()
    ranked = found.sort_values(["setting", "measure", "size"], ascending=[True, True, False])
    return ranked.drop(columns="size").reset_index(drop=True)


def _rows(record: JobRecord, records: Sequence[JobRecord]) -> list[tuple[str, str, str, float]]:
    try:
        measured = read_json(Path(record.results) / RESULT).get("importances") or {}
    except ConfigError:
        return []
    given = settings_of(record, records)
    setting = ", ".join(f"{name}={value}" for name, value in given.items() if name != SEED)
    return [
        (setting or "all", measure, column, value)
        for measure, values in with_levels(measured).items()
        for column, value in values.items()
    ]


def with_levels(measured: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Add shares of the decrease in impurity by level, which as the columns' sum to 1."""
    if "mdi" not in measured:
        return measured
    shares: dict[str, float] = {}
    for column, share in measured["mdi"].items():
        part = part_of(column)
        shares[part] = shares.get(part, 0.0) + share
    return {**measured, "mdi by level": shares}


def part_of(column: str) -> str:
    """Return the level that a column of features tells of; or arithmetic, layer or hardware."""
    kind, _, rest = column.partition(".")
    place = rest.partition(".")[0] or kind
    return WHOLE.get(kind) or (ARITHMETIC[0] if place in ARITHMETIC else place)


def largest(importances: pd.DataFrame) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """Return the first rows of each setting and measure."""
    groups = importances.groupby(["setting", "measure"], sort=False)
    return [((str(key[0]), str(key[1])), part.head(SHOWN)) for key, part in groups]


def importance_table(importances: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of the largest importances, as texts."""
    header = ["setting", "measure", "column", "importance"]
    rows = [
        [*names, str(row["column"]), f"{row['median']:.4f} ({row['min']:.4f} to {row['max']:.4f})"]
        for names, part in largest(importances)
        for row in part.to_dict("records")
    ]
    return header, rows


@themed
def importance_plot(importances: pd.DataFrame) -> Figure:
    """Return bars of the largest medians with their ranges, a panel per setting and measure."""
    groups = largest(importances)
    across = importances.measure.nunique()
    down = -(-len(groups) // across)
    figure = Figure(figsize=(7 * across, 1 + 3 * down), layout="constrained")
    panels: Any = figure.subplots(down, across, squeeze=False).flat
    for axes, ((setting, measure), part) in zip(panels, groups, strict=False):
        places = np.arange(len(part))
        ends = np.stack([part["median"] - part["min"], part["max"] - part["median"]])
        axes.barh(places, part["median"], xerr=ends, color=MAIN_COLOUR, alpha=0.8)
        axes.set_yticks(places, part["column"], fontsize=9)
        axes.invert_yaxis()
        axes.set_xlabel(measure)
        axes.set_title(setting)
        axes.grid(True, axis="x", alpha=0.25)
    return figure

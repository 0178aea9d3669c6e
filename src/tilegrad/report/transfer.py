"""The picture of a predictor on another machine: errors against the number of measurements."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from tilegrad.report.theme import themed

TRANSFER = "transfer.csv"
"""The table of a run: a row for each machine, number of measurements and draw."""

PANELS = {
    "pair_accuracy_micro": "pairs ordered right [%]",
    "mape": "mean error [%]",
    "within_90%": "rows in 90 % intervals [%]",
}


@themed
def transfer_plot(table: pd.DataFrame) -> Figure:
    """Return medians over draws with their ranges, a panel per figure and a line per machine.

    ``table`` has a row per draw: ``machine``, ``measurements`` and the figures.
    """
    shown = [name for name in PANELS if name in table]
    figure = Figure(figsize=(5 * len(shown), 4), layout="constrained")
    panels: Any = figure.subplots(1, len(shown), squeeze=False)[0]
    for axes, name in zip(panels, shown, strict=True):
        for machine, part in table.groupby("machine", sort=False):
            found = 100 * part.groupby("measurements")[name].agg(["median", "min", "max"])
            (line,) = axes.plot(found.index, found["median"], "o-", label=str(machine))
            colour = line.get_color()
            axes.fill_between(found.index, found["min"], found["max"], color=colour, alpha=0.15)
        axes.set_xlabel("measurements")
        axes.set_ylabel(PANELS[name])
        axes.grid(True, alpha=0.25)
    panels[0].legend()
    return figure

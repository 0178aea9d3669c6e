"""How the best measured design improved with measurements: of one run, or of a sweep's."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tilegrad.report.engineering import typeset
from tilegrad.report.theme import themed

CURVE = "measured_curve.csv"
"""The table of a run: the best measured design after each measurement."""


@themed
def curves_plot(table: pd.DataFrame) -> Figure:
    """Return step curves of the best measured EDP against measurements, one for each ``setting``.

    Medians over the seeds and, where there are several, from the least to the most. ``table`` has
    rows as ``curve_of``, with ``setting`` and ``seed``.
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for setting, part in table.groupby("setting", sort=False):
        # A design is the best until there is a better one.
        seeds = part.pivot_table("edp", "measurements", "seed").ffill()
        (line,) = axes.step(
            seeds.index, seeds.median(axis=1), where="post", label=setting, linewidth=2
        )
        ends, colour = (seeds.min(axis=1), seeds.max(axis=1)), line.get_color()
        axes.fill_between(seeds.index, *ends, step="post", color=colour, alpha=0.15)
    if table.setting.nunique() > 1:
        axes.legend()
    axes.set_xlabel("measured programs")
    axes.set_ylabel(typeset("EDP of the best measured design [uJ*cycles]"))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(True, alpha=0.25)
    return figure

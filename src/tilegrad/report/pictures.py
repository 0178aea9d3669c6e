"""The pictures of a report, with captions and words for those who cannot see them."""

from __future__ import annotations

from collections.abc import Sequence

from tilegrad.record import Result
from tilegrad.report.bars import layer_costs
from tilegrad.report.curve import edp_against_samples
from tilegrad.report.engineering import cycles, joules, percent, scientific, typeset
from tilegrad.report.figures import LayerFigures, Roof
from tilegrad.report.foremost import foremost, left_out
from tilegrad.report.gap_plot import gap_against_seconds
from tilegrad.report.history import History
from tilegrad.report.page import Picture
from tilegrad.report.roofline import roofline
from tilegrad.report.theme import png_bytes


def pictures(
    result: Result, history: History, figures: Sequence[LayerFigures], roof: Roof
) -> dict[str, Picture]:
    """Return the pictures by name: ``curve``, ``costs``, ``roofline``, of a proof ``gap`` too."""
    curve = Picture(
        png_bytes(edp_against_samples(history, result)),
        "The search: EDP of the best design so far",
        f"EDP of the best design falls from {scientific(history.edp[0])} to "
        f"{typeset(f'{scientific(history.edp[-1])} uJ*cycles')} over the samples.",
    )
    costs = Picture(
        png_bytes(layer_costs(foremost(result), left_out(result))),
        "The design: energy by part and latency by bottleneck, layer by layer",
        f"Bars of each layer's share of {joules(result.energy_uj)} and {cycles(result.cycles)}; "
        "the table below holds the numbers.",
    )
    bound = ", ".join(f"{part} {percent(share)}" for part, share in result.bound_by.items())
    points = Picture(
        png_bytes(roofline(figures, roof, result.parts)),
        "What each layer reaches at its operational intensity, below the roof of this hardware. "
        "The area of a point is the layer's share of the latency; the layers of the longest "
        "latency are named.",
        f"Layers below a roof of {roof.macs_per_cycle:g} MAC/cycle; of all cycles bound by: "
        f"{bound}.",
    )
    return {"curve": curve, "costs": costs, "roofline": points, **_proof(result, history)}


def _proof(result: Result, history: History) -> dict[str, Picture]:
    """Return the picture ``gap`` of a search that proved something."""
    if not any(history.bound):
        return {}
    gap = Picture(
        png_bytes(gap_against_seconds(history, result)),
        "The proof: the best design's objective, and what no design of the mapspace undercuts",
        f"Two curves close in on each other: the bound, at {scientific(history.bound[-1])} in the "
        f"end, and the best design, at {scientific(history.value[-1])}.",
    )
    return {"gap": gap}

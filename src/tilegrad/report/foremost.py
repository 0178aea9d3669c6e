"""Which layers a report shows of a network that has more than a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tilegrad.report.engineering import percent

if TYPE_CHECKING:
    from tilegrad.record import LayerResult, Result

MOST = 100
"""Layers shown; all of them where there are no more."""


def foremost(result: Result) -> Result:
    """Return the result with the layers of the largest shares only, in the network's order."""
    if len(result.layers) <= MOST:
        return result
    ranked = sorted(result.layers, key=lambda layer: _share(layer, result), reverse=True)
    kept = {id(layer) for layer in ranked[:MOST]}
    layers = tuple(layer for layer in result.layers if id(layer) in kept)
    return result.model_copy(update={"layers": layers})


def left_out(result: Result) -> str:
    """Return in words what ``foremost`` leaves out of a whole result; empty where that is none."""
    shown = foremost(result).layers
    more = len(result.layers) - len(shown)
    if not more:
        return ""
    energy = 1 - sum(layer.total_energy_uj for layer in shown) / (result.energy_uj or 1.0)
    cycles = 1 - sum(layer.total_cycles for layer in shown) / (result.cycles or 1.0)
    return (
        f"The {len(shown)} layers with the largest shares of energy or cycles, and {more:,} more: "
        f"together {percent(max(energy, 0.0))} of the energy and {percent(max(cycles, 0.0))} of "
        "the cycles, layer by layer in result.json."
    )


def _share(layer: LayerResult, result: Result) -> float:
    energy = layer.total_energy_uj / (result.energy_uj or 1.0)
    return max(energy, layer.total_cycles / (result.cycles or 1.0))

"""What a machine took beside what was predicted and what the nest says, layer by layer."""

from __future__ import annotations

from tilegrad.record import LayerResult, Result
from tilegrad.report.engineering import counted

HEADINGS = ("measured cycles", "cold / warm", "nest / measured", "predicted / measured")
NONE = "none"


def measured_headings(result: Result) -> tuple[str, ...]:
    """Return the headings of a layer's measured cells; none where no layer was measured."""
    known = any(layer.measured_cycles is not None for layer in result.layers)
    shown = HEADINGS if result.predicted else HEADINGS[:-1]
    return shown if known else ()


def measured_cells(layer: LayerResult, headings: tuple[str, ...]) -> list[str]:
    """Return a layer's cells under those headings."""
    cycles = layer.measured_cycles
    both = (layer.measured_cold_cycles, layer.measured_warm_cycles)
    cells = {
        "measured cycles": NONE if cycles is None else counted(cycles),
        "cold / warm": _ratio(*both),
        "nest / measured": _ratio(layer.cycles, cycles),
        "predicted / measured": _ratio(layer.predicted_cycles, cycles),
    }
    return [cells[heading] for heading in headings]


def _ratio(first: float | None, second: float | None) -> str:
    return NONE if first is None or not second else f"{first / second:.3g}"

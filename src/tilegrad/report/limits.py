"""What keeps a design from being better: caps, idle PEs, slow memories, a search cut short."""

from __future__ import annotations

from tilegrad.accelerator.limited import BANDWIDTH
from tilegrad.cost.hardware import ARITHMETIC
from tilegrad.record import Result
from tilegrad.report.engineering import percent

AREA = "area_mm2"

LOW = 0.5
"""Utilisation of the PEs below which a layer is named."""

NAMED = 4
"""Layers that a summary names; the tables hold all."""

STATUS = {
    "complete": "complete",
    "budget": "stopped by its budget: a longer search may find better",
    "interrupted": "interrupted: going on may find better",
}
"""What the status of a search says of its design."""


def at_cap(result: Result, name: str) -> str:
    """Return the mark of a parameter, or of the area, that a cap keeps from growing."""
    return " (at its cap)" if name in result.at_cap else ""


def hardware_text(result: Result) -> str:
    """Return the parameters with their values, those at their cap marked."""
    return ", ".join(
        f"{name} {value:g}{at_cap(result, name)}" for name, value in result.hardware.items()
    )


def limit_rows(result: Result) -> dict[str, str]:
    """Return what sets the pace and how busy the PEs are, as a person reads it."""
    used = pe_utilisation(result)
    idle = {} if used is None else {"PE utilisation": f"{percent(used)}{_low_layers(result)}"}
    return {"bound by": _bound_by(result), **idle}


def pe_utilisation(result: Result) -> float | None:
    """Return the MACs of the network as a share of what its cycles allow; None if unknown."""
    if any(layer.pe_utilisation is None for layer in result.layers):
        return None
    busy = sum((layer.pe_utilisation or 0.0) * layer.total_cycles for layer in result.layers)
    return busy / (sum(layer.total_cycles for layer in result.layers) or 1.0)


def is_low(utilisation: float | None) -> bool:
    """Return whether so few PEs are busy that the layer is worth naming."""
    return utilisation is not None and utilisation < LOW


def _bound_by(result: Result) -> str:
    shares = result.bound_by
    listed = ", ".join(f"{part} {percent(share)}" for part, share in shares.items())
    memory = 1 - shares.get(ARITHMETIC, 0.0)
    kind = "memory-bound" if memory > LOW else "compute-bound"
    return f"{kind}: {listed} of the cycles{_bandwidth(result)}"


def _bandwidth(result: Result) -> str:
    return "; DRAM's bandwidth is capped" if BANDWIDTH in result.at_cap else ""


def _low_layers(result: Result) -> str:
    low = [layer for layer in result.layers if is_low(layer.pe_utilisation)]
    if not low:
        return ""
    worst = sorted(low, key=lambda layer: layer.pe_utilisation or 0.0)[:NAMED]
    names = ", ".join(f"{layer.name} {percent(layer.pe_utilisation or 0.0)}" for layer in worst)
    more = f" and {len(low) - NAMED} more" if len(low) > NAMED else ""
    return f"; below {100 * LOW:.0f} % in {len(low)} of {len(result.layers)} layers: {names}{more}"

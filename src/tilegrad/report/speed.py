"""A design in the units of a data sheet: milliseconds, inferences per second, watts, TOPS/W."""

from __future__ import annotations

from tilegrad.record import Result
from tilegrad.report.limits import at_cap
from tilegrad.search.caps import LATENCY, POWER

OPERATIONS = 2
"""Of a multiply-accumulate, as data sheets count."""


def network_macs(result: Result) -> int:
    """Return the multiply-accumulates of all executions of all layers."""
    return sum(layer.count * layer.problem.macs for layer in result.layers)


def tops_per_watt(result: Result) -> float | None:
    """Return 1e12 operations per joule; the clock cancels out. None for a design without energy."""
    joules = result.energy_uj * 1e-6
    return OPERATIONS * network_macs(result) / joules * 1e-12 if joules else None


def speed_rows(result: Result) -> dict[str, str]:
    """Return what the design does at its clock; without one, only what no clock changes."""
    efficiency = tops_per_watt(result)
    rows = {} if efficiency is None else {"efficiency": f"{efficiency:.3g} TOPS/W"}
    if result.clock_mhz is None or not result.cycles:
        return rows
    seconds = result.cycles / (result.clock_mhz * 1e6)
    slow, hot = at_cap(result, LATENCY), at_cap(result, POWER)
    tops = OPERATIONS * network_macs(result) / seconds * 1e-12
    return {
        "inference": f"{1e3 * seconds:.4g} ms at {result.clock_mhz:g} MHz{slow}",
        "throughput": f"{1 / seconds:.4g} inferences/s, {tops:.3g} TOPS",
        "power": f"{result.energy_uj * 1e-6 / seconds:.3g} W without leakage{hot}",
        **rows,
    }

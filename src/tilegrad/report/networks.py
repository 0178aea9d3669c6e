"""Several networks on one hardware: what each has, and the price that it pays for sharing."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from tilegrad.record import NetworkResult, Result
from tilegrad.report.engineering import at_most, cycles, joules, scientific

NETWORKS = (
    "network", "weight", "EDP [uJ*cycles]", "energy", "latency", "price",
    "EDP on hardware of its own", "its own hardware",
)  # fmt: skip
NUMBERS = NETWORKS[1:7]
NARROW = (0, 2, 5, 6)
"""Places of the columns that a terminal shows."""

RULE = {
    "sum": "the weighted sum",
    "geomean": "the weighted geometric mean",
    "worst": "the worst weighted ratio to the own best",
}
"""What each rule makes of the networks' objectives, in words."""


def rule_rows(result: Result) -> dict[str, str]:
    """Return what was minimised of several networks, and each one's price."""
    if result.rule is None or result.value is None:
        return {}
    # Ratios are near 1.
    value = f"{result.value:.4f}" if result.rule == "worst" else scientific(result.value)
    told = {"minimised": f"{RULE[result.rule]} of {result.objective}: {value}"}
    prices = [f"{each.name} {_price(each)}" for each in result.networks if each.price is not None]
    return {**told, **({"price of sharing": ", ".join(prices)} if prices else {})}


def network_rows(result: Result) -> list[tuple[str, ...]]:
    """Return one row of texts for each network; see ``NETWORKS``."""
    return [
        (
            each.name,
            f"{each.weight:g}",
            scientific(each.edp),
            joules(each.energy_uj),
            cycles(each.cycles),
            _price(each),
            *_own(each),
        )
        for each in result.networks
    ]


def network_table(result: Result) -> Table | None:
    """Return the foremost columns of ``network_rows``; None of one network."""
    if not result.networks:
        return None
    table = Table(title=f"networks on one hardware, {result.objective} of each by {result.rule}")
    for place in NARROW:
        table.add_column(NETWORKS[place], overflow="fold", no_wrap=place == 0)
    for row in network_rows(result):
        table.add_row(*(Text(row[place]) for place in NARROW))
    return table


def _price(network: NetworkResult) -> str:
    return "-" if network.price is None else f"{network.price:.4f}x"


def _own(network: NetworkResult) -> tuple[str, str]:
    own = network.own
    if own is None:
        return "-", "-"
    proven = "" if own.gap is None else f", at most {at_most(own.gap)} above the optimum"
    sizes = ", ".join(f"{name} {value:g}" for name, value in own.hardware.items())
    return f"{scientific(own.edp)}{proven}", sizes

"""Several networks as one workload: their layers side by side, and what they are to each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from tilegrad.checks import choice, is_number
from tilegrad.errors import ConfigError, unknown
from tilegrad.workload.coverage import Coverage, together
from tilegrad.workload.problem import Problem
from tilegrad.workload.workload import Network, Networks, Workload

RULES = ("sum", "geomean", "worst")
"""What may be made of the networks' figures: see ``search.goal``."""

LEGAL_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def several_networks(
    networks: Mapping[str, Workload],
    weights: object = None,
    rule: object = "sum",
    name: str | None = None,
) -> Workload:
    """Return one workload of several networks by name; layers are called ``NETWORK.LAYER``.

    ``weights``: numbers above 0 by network, those left out 1; or a list in the networks' order.
    ``rule`` is one of ``RULES``. Equal layers of different networks stay apart, since each network
    may map its own. Raises ``ConfigError`` naming field, value and what is legal.
    """
    if len(networks) < 2:
        raise ConfigError(
            f"workload.networks has {len(networks)} network; legal: two or more, or workload=NAME"
        )
    for each in networks:
        if not LEGAL_NAME.fullmatch(each):
            raise ConfigError(f"workload.networks: name {each!r}; legal: letters, digits and _")
    shares = _weights(weights, tuple(networks))
    layers = tuple(_named(each, layer) for each, own in networks.items() for layer in own)
    sizes = (len(own) for own in networks.values())
    parts = zip(networks, shares, sizes, strict=True)
    members = tuple(Network(each, share, size) for each, share, size in parts)
    chosen = choice("workload.rule", rule, RULES)
    return Workload(
        name or "+".join(networks), layers, _coverage(networks), Networks(chosen, members)
    )


def _weights(given: object, names: tuple[str, ...]) -> list[float]:
    if given is None:
        return [1.0 for _ in names]
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ConfigError(
                f"workload.weights has {len(given)} numbers for {len(names)} networks "
                f"({', '.join(names)}); legal: one each"
            )
        given = dict(zip(names, given, strict=True))
    if not isinstance(given, Mapping):
        raise ConfigError(f"workload.weights is {given!r}; legal: a list, or numbers by network")
    for each, value in given.items():
        if each not in names:
            raise ConfigError(unknown("network", str(each), names, "workload.weights"))
        if not is_number(value) or not value > 0:
            raise ConfigError(f"workload.weights.{each} is {value!r}; legal: a number > 0")
    return [float(given.get(each, 1.0)) for each in names]


def _named(network: str, layer: Problem) -> Problem:
    also = tuple(f"{network}.{other}" for other in layer.also)
    return replace(layer, name=f"{network}.{layer.name}", also=also)


def _coverage(networks: Mapping[str, Workload]) -> Coverage | None:
    """Return what became of all networks' operators, where that is known of any."""
    known = {name: own.coverage for name, own in networks.items() if own.coverage is not None}
    if not known:
        return None
    left_out = together(each for own in known.values() for each in own.left_out)
    notes = tuple(f"{name}: {note}" for name, own in known.items() for note in own.notes)
    graphs = [own.graph for own in known.values() if own.graph is not None]
    macs = sum(layer.macs * layer.count for own in networks.values() for layer in own)
    return Coverage(macs, left_out, notes, " ".join(graphs) or None)

"""Whether a certificate is of a search, and its figures those of the design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isclose

from hydra.utils import instantiate
from omegaconf import DictConfig

from tilegrad.errors import DataError
from tilegrad.record import Result
from tilegrad.verify.certificate import CERTIFICATE, Certificate
from tilegrad.verify.design import Recomputed, agree, networks_of
from tilegrad.verify.goal import POWERS, WHAT_DESIGNS_DO, Goal

DEFAULT = "default"
"""What ``hardware`` is in a config where all sizes are the template's own."""

CLOSE = 1e-9


def own_figures(result: Result, goal: Goal) -> list[float]:
    """Return what the rule ``worst`` compares networks with: 1 where that is not told."""
    found = []
    for network in result.networks:
        own = network.own
        energy = 0.0 if own is None else float(own.energy_uj) * 1e6
        found.append(
            1.0 if own is None else goal.figure(energy, float(own.cycles), float(own.area_mm2))
        )
    return found or [1.0]


def figures(result: Result, design: Recomputed, goal: Goal) -> list[float]:
    """Return the objective of each network on the design; ``DataError`` where a cap is exceeded."""
    found = []
    for layers in networks_of(result):
        energy, cycles = design.of(layers)
        if cycles > goal.cycles * (1 + CLOSE):
            raise DataError(f"cycles are {cycles:.0f}, above what caps.latency_ms allows")
        if energy > goal.pj_per_cycle * cycles * (1 + CLOSE):
            raise DataError(f"power is {energy / cycles:g} pJ a cycle, above what its cap allows")
        found.append(goal.figure(energy, cycles, design.area))
    return found


def check_networks(result: Result, design: Recomputed, goal: Goal) -> None:
    """Refuse what a record says of several networks where their mappings make it another."""
    if not result.networks:
        return
    every = figures(result, design, goal)
    if result.rule != goal.rule:
        raise DataError(f"rule is {result.rule!r}, config.yaml has {goal.rule!r}")
    if result.value is not None:
        made = goal.joined(every) * _unit(goal)
        agree("value", float(result.value), made)
    for place, (network, figure, own) in enumerate(
        zip(result.networks, every, goal.own, strict=True)
    ):
        agree(f"networks[{place}].weight", float(network.weight), goal.weights[place])
        if network.price is not None and network.own is not None:
            agree(f"networks[{place}].price", float(network.price), figure / own)


def _unit(goal: Goal) -> float:
    """Return what turns the joined figures, of pJ, into those of results."""
    return 1.0 if goal.rule == "worst" else float(1e-6 ** POWERS[goal.objective][0])


def check_header(
    certificate: Certificate, result: Result, config: DictConfig, design: Recomputed, goal: Goal
) -> None:
    """Refuse a certificate of another search, or whose value is not the design's."""
    space = certificate.mapspace
    is_default = config.hardware == DEFAULT
    sizes = instantiate(config.accelerator).defaults if is_default else config.hardware
    caps = _given(config.get("caps"))
    for name, found, right in (
        ("fixed", _given(space.fixed), _given(sizes)),
        ("caps", _given(space.caps), caps),
        ("weights", _listed(space.weights), _listed(goal.weights)),
        ("own", _listed(space.own), _listed(goal.own)),
    ):
        same = found.keys() == right.keys() and all(
            isclose(found[key], right[key], rel_tol=CLOSE) for key in found
        )
        if not same:
            raise DataError(f"{CERTIFICATE}: {name} is {found!r}, config.yaml has {right!r}")
    for name, told, given in (
        ("objective", certificate.objective, config.objective),
        ("rule", space.rule, goal.rule),
    ):
        if told != given:
            raise DataError(f"{CERTIFICATE}: {name} is {told!r}, config.yaml has {given!r}")
    _check_figures(certificate, result, goal.joined(figures(result, design, goal)), _unit(goal))
    for name, cap in caps.items():
        if name in WHAT_DESIGNS_DO:
            continue
        used = result.area_mm2 if name == "area_mm2" else result.hardware[name]
        if used > cap * (1 + CLOSE):
            raise DataError(f"{name} is {used}, above its cap {cap:g}")


def _check_figures(certificate: Certificate, result: Result, value: float, unit: float) -> None:
    gap = value / certificate.bound - 1 if certificate.bound > 0 else float("inf")
    for name, number, made in (
        ("value", certificate.value, value),
        ("gap", 1 + certificate.gap, 1 + max(0.0, gap)),
        ("gap", 1 + float(result.gap or 0.0), 1 + max(0.0, gap)),
        ("bound", float(result.bound or 0.0), certificate.bound * unit),
    ):
        if not abs(number - made) <= CLOSE * abs(made):
            raise DataError(f"{name} is {number!r}; the design and its cells make {made!r}")


def _given(values: Mapping[str, object] | None) -> dict[str, float]:
    pairs = (values or {}).items()
    return {str(name): float(str(value)) for name, value in pairs if value is not None}


def _listed(values: Sequence[float]) -> dict[str, float]:
    return {str(place): float(value) for place, value in enumerate(values)}

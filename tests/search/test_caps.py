"""Caps on latency, power and DRAM's bandwidth: against all designs of tiny networks, enumerated."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.helpers import gemmini
from tests.search.brute_force import every_design
from tests.search.helpers import (
    BRIEF_GRADIENT,
    SHORT_GRADIENT,
    SHORT_RANDOM,
    Limits,
    run,
    small_problem,
)
from tests.search.test_optimum import WIDTH, coarse, tiny_layer
from tilegrad.accelerator.limited import with_bandwidth
from tilegrad.errors import ConfigError, InfeasibleError
from tilegrad.search import ExactStrategy, RandomStrategy, SearchProblem, Strategy
from tilegrad.search.caps import Caps, read_caps
from tilegrad.search.diagnosis import check_reachable
from tilegrad.workload import Workload, several_networks

Totals = tuple[Tensor, Tensor]


def tiny(*seeds: int) -> Workload:
    """Return a network of small layers."""
    return Workload("tiny", tuple(tiny_layer(seed) for seed in seeds))


@cache
def totals(*seeds: int) -> Totals:
    """Return energy [pJ] and cycles of every design of a network, ``[design]``."""
    energy, cycles, _ = every_design(tiny(*seeds), coarse(), WIDTH)
    return energy.sum(-1), cycles.sum(-1)


def capped(name: str, caps: Caps, *seeds: int) -> SearchProblem:
    """Return the search of a network under caps."""
    problem = small_problem(name, Limits({}, {"pe_dim": WIDTH}), tiny(*seeds), coarse())
    return replace(problem, caps=caps)


def halfway(low: float, high: float) -> float:
    """Return a cap between what is best without one and what is reached at all."""
    return (low * high) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    "seeds", [(10, 2), pytest.param((3, 4), marks=pytest.mark.exhaustive)], ids=str
)
def test_energy_under_a_cap_of_latency(seeds: tuple[int, ...], tmp_path: Path) -> None:
    energy, cycles = totals(*seeds)
    # The slowest design that is faster than those of about the least energy.
    cap = float(cycles[cycles < cycles[energy <= energy.min() * 1.001].min()].max())
    best = float(energy[cycles <= cap].min())
    assert best > float(energy.min()) * 1.005
    problem = capped("energy", Caps(cycles=cap), *seeds)
    exact, _ = run(problem, ExactStrategy(gap=1e-8), tmp_path / "exact")
    assert exact.bound <= best * (1 + 1e-9) <= exact.value * (1 + 2e-9)
    assert exact.value <= best * 1.01
    found, _ = run(problem, SHORT_GRADIENT, tmp_path / "gradient")
    assert best * (1 - 1e-9) <= found.value <= best * 1.03


@pytest.mark.parametrize("seed", [8, pytest.param(1, marks=pytest.mark.exhaustive)])
def test_edp_under_a_cap_of_power(seed: int, tmp_path: Path) -> None:
    energy, cycles = totals(seed)
    power, edp = energy / cycles, energy * cycles
    cap = halfway(float(power[edp.argmin()]), float(power.min()))
    best = float(edp[power <= cap].min())
    problem = capped("edp", Caps(pj_per_cycle=cap), seed)
    exact, _ = run(problem, ExactStrategy(gap=1e-8), tmp_path / "exact")
    assert exact.bound <= best * (1 + 1e-9)
    assert exact.value == pytest.approx(best, rel=1e-9)
    found, _ = run(problem, BRIEF_GRADIENT, tmp_path / "gradient")
    assert best * (1 - 1e-9) <= found.value <= best * 1.001


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_layers_share_a_cap_of_power(share: float, tmp_path: Path) -> None:
    """One of two layers may be slow where the other is fast, which no price of a cycle tells."""
    energy, cycles = totals(10, 2)
    power, edp = energy / cycles, energy * cycles
    least = float(power[edp.argmin()])
    cap = least * (float(power.min()) / least) ** share
    best = float(edp[power <= cap].min())
    found, _ = run(capped("edp", Caps(pj_per_cycle=cap), 10, 2), BRIEF_GRADIENT, tmp_path)
    assert best * (1 - 1e-9) <= found.value <= best * 1.005


@pytest.mark.slow
def test_several_networks_keep_to_caps_each(tmp_path: Path) -> None:
    """Two networks of a layer each: a cap that only the slower one meets with more energy."""
    energy, cycles, _ = every_design(tiny(10, 2), coarse(), WIDTH)
    networks = {str(seed): tiny(seed) for seed in (10, 2)}
    workload = several_networks({f"n{name}": each for name, each in networks.items()})
    free = cycles[energy.sum(-1).argmin()]
    cap = float(free.max()) - 1
    best = float(energy.sum(-1)[(cycles <= cap).all(-1)].min())
    problem = small_problem("energy", Limits({}, {"pe_dim": WIDTH}), workload, coarse())
    problem = replace(problem, caps=Caps(cycles=cap))
    exact, _ = run(problem, ExactStrategy(gap=1e-8), tmp_path / "exact")
    assert exact.bound <= best * (1 + 1e-9)
    assert exact.value == pytest.approx(best, rel=1e-9)
    found, _ = run(problem, BRIEF_GRADIENT, tmp_path / "gradient")
    assert best * (1 - 1e-9) <= found.value <= best * 1.03


@pytest.mark.parametrize("strategy", [BRIEF_GRADIENT, SHORT_RANDOM, ExactStrategy()])
def test_what_binds_is_told_with_what_is_reached(strategy: Strategy, tmp_path: Path) -> None:
    energy, cycles = totals(2)
    least = float((energy / cycles).min())
    caps = Caps(cycles=float(cycles.max()), pj_per_cycle=least * 0.9, clock_mhz=1000)
    with pytest.raises(InfeasibleError) as refused:
        run(capped("edp", caps, 2), strategy, tmp_path)
    told = str(refused.value)
    assert f"caps.power_w = {least * 0.9e-3:g} W, the least found is" in told
    if isinstance(strategy, ExactStrategy):
        assert "it is caps.power_w that no design keeps to" in told
    else:
        tried = int(told.split(" samples")[0].split("among ")[1].replace(",", ""))
        assert f"none of the {tried:,} designs tried keeps to caps.power_w" in told
    if not isinstance(strategy, RandomStrategy):
        reached = float(told.split("caps.power_w = ")[1].split("found is ")[1].split(":")[0])
        assert reached == pytest.approx(least * 1e-3, rel=0.05)


@pytest.mark.slow
def test_caps_that_exclude_each_other_are_told(tmp_path: Path) -> None:
    energy, cycles = totals(10, 2)
    power = energy / cycles
    cap = float(cycles.min())
    caps = Caps(cap, float(power[cycles <= cap].min()) * 0.99)
    assert caps.pj_per_cycle >= float(power.min())
    with pytest.raises(InfeasibleError, match=r"to each of them, none of the [0-9,]+ tried to bo"):
        run(capped("edp", caps, 10, 2), SHORT_GRADIENT, tmp_path)


def test_a_latency_that_no_array_reaches_is_refused_at_once() -> None:
    problem = capped("energy", Caps(cycles=1.0, clock_mhz=1000), 1)
    macs = sum(layer.macs * layer.count for layer in problem.workload)
    with pytest.raises(InfeasibleError, match=f"ever idles: {macs / WIDTH**2 / 1e6:.4g} ms"):
        check_reachable(problem)


def test_caps_are_read_in_users_units() -> None:
    read = read_caps(gemmini(), {"latency_ms": 2, "power_w": 0.5, "area_mm2": 3})
    assert read == Caps(2e6, 500.0, 1000.0)
    without = replace(gemmini(), clock_mhz=None)
    with pytest.raises(ConfigError, match=r"caps.power_w is of a clock.*accelerator.clock_mhz"):
        read_caps(without, {"power_w": 1})
    with pytest.raises(ConfigError, match=r"caps\.latency_ms is 0"):
        read_caps(gemmini(), {"latency_ms": 0})


def test_a_cap_of_bandwidth_is_what_the_machine_has() -> None:
    """Gemmini's DRAM moves 8 bytes a cycle of 1 ns; of less, times go by it."""
    assert with_bandwidth(gemmini(), {"dram_gbs": 8}) == gemmini()
    assert with_bandwidth(gemmini(), None) == gemmini()
    limits = Limits({"pe_dim": 4, "scratchpad_kb": 4}, {})
    costs = []
    for gigabytes in (0.04, 0.02):
        slow = with_bandwidth(gemmini(), {"dram_gbs": gigabytes})
        problem = small_problem("latency", limits, accelerator=slow)
        cost, _ = problem.evaluate(problem.smallest())
        costs.append(cost.layers)
    one, half = costs
    assert half.cycles_by_part[..., :-1].equal(one.cycles_by_part[..., :-1])
    ratio = half.cycles / one.cycles
    torch.testing.assert_close(ratio, torch.full_like(ratio, 2), rtol=1e-4, atol=0)
    assert half.energy_by_part_pj.equal(one.energy_by_part_pj)
    with pytest.raises(ConfigError, match=r"caps.dram_gbs.*clock_mhz"):
        with_bandwidth(replace(gemmini(), clock_mhz=None), {"dram_gbs": 4})

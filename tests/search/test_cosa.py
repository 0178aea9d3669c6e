"""CoSA's program: its optimum beside all assignments, tried one by one; the contract."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from math import log, prod
from pathlib import Path
from threading import Barrier, Event

import pytest
import torch

from tests.helpers import gemmini
from tests.helpers_literal import misfits
from tests.search.contract import StrategyContract
from tests.search.helpers import TINY, Limits, outcome, run, small_problem
from tilegrad.errors import ConfigError
from tilegrad.mapping.space import TEMPORAL, MapSpace, Slot
from tilegrad.search import Budget, CosaStrategy, GradientStrategy, SearchState
from tilegrad.search.cosa import strategy as cosa_module
from tilegrad.search.cosa.logs import LayerLogs
from tilegrad.search.cosa.output import without_output
from tilegrad.search.cosa.program import Program, Weights, room
from tilegrad.search.cosa.starts import cosa_starts
from tilegrad.workload import Problem, Workload

SIZES = {"pe_dim": 4.0, "scratchpad_kb": 1.0, "accumulator_kb": 1.0}
NAMES = "RSPQCKN"
KEPT = ((0, "Weights"), (1, "Outputs"), (2, "Weights"), (2, "Inputs"))
"""What Gemmini's levels on chip keep, and where the loops next to them are."""
NEXT = {0: 1, 1: 3, 2: 3}
MOVING = {"Weights": "RSCK", "Inputs": "RSPQCN", "Outputs": "PQKN"}


def primes(bound: int) -> list[int]:
    """Return the prime factors of a bound by trial."""
    for prime in range(2, bound + 1):
        if bound % prime == 0:
            return [prime, *primes(bound // prime)]
    return []


def powers(layer: Problem) -> dict[str, float]:
    """Return by which power of each dim's factor an Inputs' tile grows."""
    found = dict.fromkeys("CN", 1.0)
    wide, high, wide_step, high_step = layer.strides
    bounds = dict(zip("RSPQ", layer.bounds, strict=False))
    for pixel, filt, stride, step in (("P", "R", wide, wide_step), ("Q", "S", high, high_step)):
        reach = {pixel: stride * (bounds[pixel] - 1), filt: step * (bounds[filt] - 1)}
        longer, shorter = sorted(reach, key=lambda dim: -reach[dim])
        whole = 1 + reach[longer]
        found[longer] = log(whole) / log(bounds[longer]) if bounds[longer] > 1 else 0.0
        beside = log((whole + reach[shorter]) / whole)
        found[shorter] = beside / log(bounds[shorter]) if bounds[shorter] > 1 else 0.0
    return found


def assignments(layer: Problem) -> Iterator[dict[Slot, int]]:
    """Yield every way to put each prime factor somewhere; Gemmini's places."""
    choices = []
    for dim, bound in enumerate(layer.bounds):
        places = [slot for slot in MapSpace(gemmini()).slots if slot.dim == dim]
        each = [*places, Slot(3, TEMPORAL, dim)]
        choices += [[(place, prime) for place in each] for prime in primes(bound)]
    for chosen in product(*choices):
        factors: dict[Slot, int] = {}
        for place, prime in chosen:
            factors[place] = factors.get(place, 1) * prime
        yield factors


class Oracle:
    """What an assignment costs, by products of its factors."""

    def __init__(self, layer: Problem, weights: Weights, share: float) -> None:
        self.grows, self.weights, self.share = powers(layer), weights, share

    def cost(self, factors: dict[Slot, int]) -> float:
        """Return the objective with the best tensors standing; infinite if it does not fit."""
        if self.too_wide(factors) or self.too_large(factors):
            return float("inf")
        total = self.weights.compute * log(prod(self.loops(factors, -1)))
        saved: dict[int, list[float]] = {1: [], 3: []}
        for level, role in KEPT:
            tile = self.tile(factors, role, 0, level)
            moved = tile * self.tile(factors, role, level + 1, 3, TEMPORAL)
            total += self.weights.traffic * log(moved * prod(self.loops(factors, level)))
            total -= self.weights.utilisation * log(tile)
            still = [
                factor
                for place, factor in factors.items()
                if place.level == NEXT[level] and place.axis == TEMPORAL
                if NAMES[place.dim] not in MOVING[role]
            ]
            saved[NEXT[level]].append(self.weights.traffic * log(prod(still)))
        return total - sum(max(each) for each in saved.values())

    def loops(self, factors: dict[Slot, int], outside: int) -> list[int]:
        """Return the temporal factors outside of a level."""
        return [f for p, f in factors.items() if p.level > outside and p.axis == TEMPORAL]

    def tile(
        self, factors: dict[Slot, int], role: str, low: int, high: int, but: int | None = None
    ) -> float:
        """Return by how much the loops of some levels enlarge a tensor's tile."""
        return prod(
            factor ** (self.grows[NAMES[place.dim]] if role == "Inputs" else 1.0)
            for place, factor in factors.items()
            if low <= place.level <= high and place.axis != but
            if NAMES[place.dim] in MOVING[role]
        )

    def too_wide(self, factors: dict[Slot, int]) -> bool:
        """Return whether a mesh is too narrow: on Gemmini one dim is spread along each."""
        return any(f > SIZES["pe_dim"] for place, f in factors.items() if place.axis != TEMPORAL)

    def too_large(self, factors: dict[Slot, int]) -> bool:
        """Return whether a tile exceeds its share of a buffer, in words."""
        columns = SIZES["accumulator_kb"] * 1024 / 4 / SIZES["pe_dim"]
        parts = {"Weights": self.share, "Inputs": 1 - self.share}
        have = {0: 1.0, 1: columns, 2: SIZES["scratchpad_kb"] * 1024}
        return any(
            self.tile(factors, role, 0, level)
            > have[level] * (parts[role] if level == 2 else 1) * (1 + 1e-9)
            for level, role in KEPT
        )


@pytest.mark.parametrize(
    ("layer", "share", "weights"),
    [
        (Problem("plain", (1, 1, 1, 4, 6, 4, 1)), 0.5, Weights()),
        (Problem("window", (3, 1, 6, 1, 2, 4, 1), (2, 1, 1, 1)), 0.25, Weights()),
        (Problem("traffic", (1, 1, 32, 1, 8, 2, 1)), 0.3, Weights(0.5, 0.1, 1.0)),
    ],
)
def test_the_programs_optimum_is_that_of_all_assignments(
    layer: Problem, share: float, weights: Weights
) -> None:
    program = Program(LayerLogs(MapSpace(gemmini()), layer), weights)
    found, gap = program.solve(room(program.logs, SIZES, share), 100_000, None)
    assert gap <= 1e-6
    oracle = Oracle(layer, weights, share)
    best = min(map(oracle.cost, assignments(layer)))
    assert float(program.cost @ found) == pytest.approx(best, abs=1e-5)


def test_mappings_fit_though_the_program_counts_windows_roughly() -> None:
    layer = Problem("strided", (7, 7, 16, 16, 3, 16, 1), (2, 2, 1, 1))
    mapper = CosaStrategy(utilisation=(0.1,), shares=(0.5,)).mapper
    problem = small_problem(limits=Limits(SIZES, {}), workload=Workload("one", (layer,)))
    table = problem.tables[0]
    factors, _ = mapper.map(table, SIZES, Budget())
    nest = table.nests(factors, torch.zeros(len(factors), dtype=torch.int64))[0]
    assert not misfits(nest, layer.strides, problem.accelerator, SIZES)
    assert float(nest.temporal[-1].prod()) < layer.macs / 16


def test_open_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"hardware\.scratchpad_kb is null.*hardware=default"):
        CosaStrategy().check(small_problem(limits=Limits({"pe_dim": 4, "accumulator_kb": 2}, {})))


def test_a_descent_begins_with_what_fits_its_hardware() -> None:
    problem = small_problem(limits=Limits(SIZES, {}), workload=TINY)
    starts = cosa_starts(problem, 0, Budget())
    assert starts.shape == (1, len(TINY.layers), len(problem.tables[0].space.slots))
    for layer, (table, each) in enumerate(zip(problem.tables, TINY.layers, strict=True)):
        nest = table.nests(starts[:, layer].exp().round(), torch.zeros(1, dtype=torch.int64))[0]
        assert not misfits(nest, each.strides, problem.accelerator, SIZES)
        assert float(nest.temporal[-1].prod()) < each.macs / 16


def test_free_sizes_give_several_starts_of_their_own(tmp_path: Path) -> None:
    problem = small_problem(workload=TINY)
    assert len(cosa_starts(problem, 0, Budget()).unique(dim=0)) > 1
    descent = GradientStrategy(4, 5, polish_rounds=1, polish_rows=2000, start="cosa")
    state, status = run(problem, descent, tmp_path)
    assert status == "complete"
    assert state.mappings > 2 * len(TINY.layers)


def test_starts_are_random_or_cosas() -> None:
    with pytest.raises(ConfigError, match=r"strategy\.start 'greedy' \(legal: random, cosa"):
        GradientStrategy(start="greedy")


@pytest.mark.parametrize("shares", [(), (0.5, 1.0)])
def test_shares_are_parts_of_one(shares: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match=r"strategy\.shares"):
        CosaStrategy(shares=shares)


def test_a_program_that_is_cut_off_says_so(tmp_path: Path) -> None:
    problem = small_problem(limits=Limits(SIZES, {}), workload=TINY)
    state, status = run(problem, CosaStrategy(seconds=1e-9), tmp_path)
    assert status == "complete"
    assert "2 of 2 layers was cut off by strategy.nodes" in state.warnings[0]
    assert state.mappings == 2 + sum(len(table.orders) for table in problem.tables)


def test_output_comes_back_after_the_last_of_two_threads(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The second one begins while the first one's output is dropped, and outlasts it."""
    both, first_over = Barrier(2, timeout=10), Event()

    def first() -> None:
        with without_output():
            both.wait()
        os.write(1, b"still dropped\n")
        first_over.set()

    def second() -> None:
        with without_output():
            both.wait()
            assert first_over.wait(10)

    with ThreadPoolExecutor(2) as threads:
        for each in [threads.submit(first), threads.submit(second)]:
            each.result()
    os.write(1, b"back\n")
    assert capfd.readouterr().out == "back\n"


class TestCosa(StrategyContract):
    strategy = CosaStrategy(utilisation=(0.1,), shares=(0.5,))
    template = "eyeriss"
    workload = Workload("tiny", TINY.layers[::-1])
    unlimited = Limits({}, {})
    limits: Mapping[str, Limits] = {"roomy area cap": Limits({}, {"area_mm2": 1e3})}
    # It minimises an objective of its own; only orders follow the search's.
    margin = 0.5
    unit = (cosa_module, "LAYERS_PER_UNIT", 1)

    def test_the_seed_decides(self, whole: SearchState, tmp_path: Path) -> None:
        """Of this strategy nothing: all seeds end alike."""
        problem = self.problem()
        state, _ = run(problem, self.strategy, tmp_path, 4)
        assert outcome(state, problem) == outcome(whole, problem)

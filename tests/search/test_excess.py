"""By how much designs break limits, beside what each limit alone says of them."""

from __future__ import annotations

from dataclasses import replace
from math import inf, log

import pytest
import torch

from tests.search.helpers import TINY, Limits, small_problem
from tilegrad.cost.capacity import find_overflows
from tilegrad.mapping import LoopNest, stack
from tilegrad.nest import analyse
from tilegrad.search import SearchProblem
from tilegrad.search.caps import Caps
from tilegrad.search.excess import LEAST, best_first, limit_excess
from tilegrad.search.state import generator


def drawn(problem: SearchProblem, count: int = 60) -> LoopNest:
    """Return random designs ``[design, layer]`` that know no limit."""
    random = generator(3)
    layers = []
    for table in problem.tables:
        orders = torch.zeros(count, dtype=torch.int64)
        layers.append(table.nests(table.random(count, random), orders))
    return stack(layers).each(lambda tensor: tensor.movedim(0, 1))


def excesses(nests: LoopNest, problem: SearchProblem) -> tuple[torch.Tensor, torch.Tensor]:
    """Return objectives and excesses ``[design]``."""
    cost, values = problem.evaluate(nests)
    return values, limit_excess(nests, cost, values, problem)


def test_a_size_and_the_area_beyond_a_cap_count_by_their_logs() -> None:
    free = small_problem(limits=Limits({}, {}), workload=TINY)
    nests = drawn(free)
    cost, _ = free.evaluate(nests)
    area = float(cost.area_mm2.median())
    capped = small_problem(limits=Limits({}, {"scratchpad_kb": 1, "area_mm2": area}), workload=TINY)
    values, found = excesses(nests, capped)
    for design in range(len(values)):
        kilobytes = float(cost.hardware["scratchpad_kb"][design])
        expected = max(0.0, log(kilobytes)) + max(0.0, log(float(cost.area_mm2[design]) / area))
        assert float(found[design]) == pytest.approx(expected, abs=1e-12)
        assert (values[design] == inf) == (expected > 0)
    assert 0 < int((found > 0).sum()) < len(found)


def test_caps_count_by_their_logs_and_what_keeps_to_all_limits_is_0() -> None:
    problem = small_problem(limits=Limits({}, {}), workload=TINY)
    nests = drawn(problem)
    assert bool((excesses(nests, problem)[1] == 0).all())
    cost, _ = problem.evaluate(nests)
    cycles, power = cost.cycles, cost.energy_pj / cost.cycles
    caps = Caps(float(cycles.median()), float(power.median()))
    _, found = excesses(nests, replace(problem, caps=caps))
    expected = (cycles / caps.cycles).log().clamp(min=0)
    expected = expected + (power / caps.pj_per_cycle).log().clamp(min=0)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


def test_what_does_not_fit_fixed_sizes_counts_by_its_overflows() -> None:
    sizes = {"pe_dim": 4.0, "scratchpad_kb": 1.0, "accumulator_kb": 1.0}
    problem = small_problem(limits=Limits(sizes, {}))
    nests = drawn(problem)
    _, found = excesses(nests, problem)
    for design in range(len(found)):
        nest = analyse(nests[design], problem.workload.strides, problem.accelerator)
        overflows = find_overflows(nest, problem.accelerator, sizes).values()
        each = [log(over.need / over.have) for layer in overflows for over in layer]
        assert float(found[design]) == pytest.approx(sum(each), rel=1e-9, abs=LEAST)
        assert (float(found[design]) > 0) == bool(each)
    assert 0 < int((found > 0).sum()) < len(found)


def test_legal_designs_come_first_then_the_nearest_to_the_limits() -> None:
    values = torch.tensor([inf, 3.0, inf, 1.0, 3.0], dtype=torch.float64)
    found = best_first(values, torch.tensor([2.0, 0.0, 1.0, 0.0, 0.0], dtype=torch.float64))
    assert found.tolist() == [3, 1, 4, 2, 0]

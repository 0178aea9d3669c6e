"""DOSA's algorithm: its rounding, its orders, its loss and its steps, beside the contract."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import inf
from pathlib import Path

import pytest
import torch

from tests.search.contract import StrategyContract
from tests.search.helpers import TINY, run, small_problem
from tilegrad.errors import ConfigError
from tilegrad.mapping.factors import divisors
from tilegrad.mapping.space import TEMPORAL
from tilegrad.search import Budget, DosaStrategy, SearchProblem, SearchState
from tilegrad.search.dosa.adam import Adam
from tilegrad.search.dosa.relaxed import DirectProblem
from tilegrad.search.dosa.rounding import designs, nearest_divisor, rounded, stationary_orders
from tilegrad.search.dosa.starts import COSA, Starts
from tilegrad.search.gradient.relaxed import RelaxedProblem
from tilegrad.shape.conv import CONV
from tilegrad.workload import Workload

SHORT = DosaStrategy(
    starts=2, steps=12, round_steps=5, learning_rate=1e-3, start="random", start_mappings=5
)


class TestDosa(StrategyContract):
    strategy = SHORT
    workload = TINY
    quick = ("fixed mesh and area cap",)
    # A descent ends in another valley for each objective: 1.55 times the best of the four at most.
    margin = 0.8


def direct(problem: SearchProblem) -> DirectProblem:
    """Return a problem's relaxed factors."""
    return DirectProblem(
        RelaxedProblem.of(problem.tables, problem.workload, problem.hardware, problem.goal)
    )


@pytest.mark.parametrize("bound", [1, 7, 12, 60, 197])
def test_a_factor_is_rounded_to_the_nearest_divisor(bound: int) -> None:
    for value, most in product((-3.0, 0.4, 1.5, 2.0, 2.49, 5.5, 11.9, 1e4), (1, 5, 1e3)):
        found = nearest_divisor(value, bound, most)
        legal = [each for each in divisors(bound) if each <= most]
        assert found in legal
        # A whole number that divides is taken as it is: DOSA rounds first.
        if max(1, round(value)) not in legal:
            assert all(abs(found - value) <= abs(each - value) for each in legal)


def test_rounded_factors_divide_their_bounds_and_fit_the_mesh() -> None:
    problem = small_problem()
    for table in problem.tables:
        random = torch.Generator().manual_seed(1)
        slots = table.space.slots
        wild = torch.rand(40, len(slots), generator=random, dtype=torch.float64) * 30
        found = rounded(table, wild)
        for dim, places in enumerate(table.space.slots_of):
            inside = found[:, list(places)].prod(-1)
            assert bool((table.problem.bounds[dim] % inside == 0).all())
        for place, slot in enumerate(slots):
            if slot.axis != TEMPORAL:
                assert bool((found[:, place] <= table.widths[0][slot.level, slot.axis]).all())
        # What is legal already stays.
        assert bool((rounded(table, found) == found).all())


def test_spatial_factors_are_rounded_before_temporal_ones() -> None:
    table = small_problem().tables[2]
    slots = table.space.slots
    channels = [i for i, slot in enumerate(slots) if slot.dim == CONV.dims.index("C")]
    spatial = next(i for i in channels if slots[i].axis != TEMPORAL)
    wild = torch.ones(1, len(slots), dtype=torch.float64)
    wild[:, channels] = 16.0
    found = rounded(table, wild)
    # 32 input channels: 16 of them spread leave 2 to repeat.
    assert float(found[0, spatial]) == 16
    assert float(found[0, channels].prod()) == 32


def test_the_orders_are_those_of_the_published_code() -> None:
    # Innermost first there: PQNRSCK, KRSPQCN and RSC before the rest (whose order is a tie).
    names = ["".join(CONV.dims[dim] for dim in order.flip(0)) for order in stationary_orders(CONV)]
    assert names[0] == "PQNRSCK"
    assert names[1] == "KRSPQCN"
    assert names[2].startswith("RSC")


def test_adam_steps_as_its_paper_says() -> None:
    value, mean, square, rate = 3.0, 0.0, 0.0, 0.05
    mine = Adam.begin(torch.tensor([value, 0.0], dtype=torch.float64))
    for step in range(1, 21):
        mine = mine.after(4 * mine.values**3, rate)
        mean = 0.9 * mean + 0.1 * 4 * value**3
        square = 0.999 * square + 0.001 * (4 * value**3) ** 2
        value -= rate * (mean / (1 - 0.9**step)) / ((square / (1 - 0.999**step)) ** 0.5 + 1e-8)
        assert mine.values.tolist() == pytest.approx([value, 0.0], rel=1e-12)


def test_adam_steps_as_torchs_does_and_leaves_states_as_they_are() -> None:
    begun = torch.rand(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    theirs = begun.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([theirs], lr=0.02)
    states = [Adam.begin(begun)]
    for _ in range(30):
        theirs.grad = 4 * theirs.detach() ** 3 - 1
        optimizer.step()
        states.append(states[-1].after(4 * states[-1].values ** 3 - 1, 0.02))
        torch.testing.assert_close(states[-1].values, theirs.detach(), rtol=1e-13, atol=0)
    assert torch.equal(states[0].values, begun)
    assert not bool(states[0].mean.any())
    assert [state.step for state in states] == list(range(31))


def begun(problem: SearchProblem) -> tuple[torch.Tensor, torch.Tensor]:
    """Return legal factors ``[1, layer, slot]`` and orders ``[1, layer, 1, level, dim]``."""
    layers = [table.random(1, torch.Generator().manual_seed(3)) for table in problem.tables]
    orders = [table.orders[:1] for table in problem.tables]
    return torch.stack(layers, 1), torch.stack(orders, 1).unsqueeze(2)


def test_the_loss_of_whole_factors_is_the_objective() -> None:
    problem = small_problem()
    factors, orders = begun(problem)
    loss, value = direct(problem).loss(factors, orders)
    _, exact = problem.evaluate(designs(problem.tables, factors, orders.squeeze(2)))
    # But for whole blocks, sizes and cycles.
    assert float(value) == pytest.approx(float(exact), rel=0.05)
    assert float(loss) == float(value)


def test_a_factor_below_one_costs_the_square_of_what_it_lacks() -> None:
    problem = small_problem()
    factors, orders = begun(problem)
    table = problem.tables[0]
    place = next(i for i, slot in enumerate(table.space.slots) if slot.axis == TEMPORAL)
    factors[0, 0, list(table.space.slots_of[table.space.slots[place].dim])] = 1.0
    factors[0, 0, place] = 0.75
    loss, value = direct(problem).loss(factors, orders)
    assert float(loss / value) == pytest.approx(1 + 0.25**2)


def test_gradients_are_those_of_finite_differences() -> None:
    problem = small_problem(workload=TINY)
    factors, orders = begun(problem)
    # Away from whole numbers, where loops begin and end.
    point = (factors * 0.95 + 0.11).requires_grad_(True)
    one = direct(problem)
    (found,) = torch.autograd.grad(one.loss(point, orders)[1].log().sum(), point)
    step = 1e-6
    for layer, slot in product(range(point.shape[1]), range(point.shape[2])):
        ends = []
        for sign in (1, -1):
            moved = point.detach().clone()
            moved[0, layer, slot] += sign * step
            ends.append(float(one.loss(moved, orders)[1].log()))
        expected = (ends[0] - ends[1]) / (2 * step)
        assert float(found[0, layer, slot]) == pytest.approx(expected, rel=1e-4, abs=1e-7)


def test_learning_rates_are_those_published_for_a_network_and_an_objective() -> None:
    names = ("unet", "rnnt", "resnet50", "retinanet", "bert", "gpt2")
    published = [DosaStrategy().rate(name, "edp") for name in names]
    assert published == [5e-5, 5e-5, 7.5e-5, 7.5e-5, 1e-5, 1e-5]
    assert {DosaStrategy().rate(name, "energy") for name in names} == {1e-4}
    assert SHORT.rate("unet", "edp") == SHORT.rate("gpt2", "energy") == 1e-3


@pytest.mark.parametrize(
    ("network", "objective", "told"),
    [
        ("bert", "edp", None),
        ("gpt2", "energy", None),
        ("gpt2", "edp", "for 'gpt2' by objective=edp: taken is 1e-05"),
        ("resnet50", "latency", "for 'resnet50' by objective=latency: taken is 7.5e-05"),
    ],
)
def test_a_rate_that_was_tuned_for_something_else_is_told(
    network: str, objective: str, told: str | None, tmp_path: Path
) -> None:
    problem = small_problem(objective, workload=Workload(network, TINY.layers))
    published = replace(SHORT, learning_rate=None, starts=1, steps=2, round_steps=2)
    state, _ = run(problem, published, tmp_path)
    assert len(state.warnings) == (told is not None)
    for warning in state.warnings:
        assert told is not None
        assert told in warning
        assert "strategy.learning_rate=NUMBER" in warning
    given, _ = run(problem, replace(published, learning_rate=1e-3), tmp_path / "given")
    assert not given.warnings


def test_starts_of_cosa_fit_their_hardware_and_repeat() -> None:
    problem = small_problem(workload=TINY)
    starts = Starts(COSA, 1, problem, Budget().begin(), seed=0)
    design, mappings = starts.draw(1)
    cost, _ = problem.evaluate(design)
    assert bool(cost.fits.all())
    # Every loop order of one tile of each layer, and the smallest mappings at most.
    assert mappings <= sum(2 * len(table.orders) for table in problem.tables)
    again, _ = starts.draw(1)
    assert torch.equal(design.temporal, again.temporal)
    other, _ = starts.draw(2)
    assert not torch.equal(design.temporal, other.temporal)


def test_descents_end_below_their_starts() -> None:
    """By whole designs: the best that was rounded beside the best start, the median of seeds."""
    strategy = DosaStrategy(3, 60, 30, learning_rate=3e-4, start="random", start_mappings=5)
    gained = []
    for seed in (0, 1, 2):
        state, before = SearchState(), inf
        for _ in strategy.advance(small_problem(), state, Budget().begin(), seed):
            if state.phase == "begin" or not state.private["adam"][-1]:
                before = state.value
        gained.append(state.value / before)
    assert sorted(gained)[1] < 0.9


def test_a_start_ten_times_worse_than_the_best_before_it_is_drawn_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    losses = iter([5.0, 51.0, 49.0, 0.4, 4.1, 3.9])
    strategy, state = replace(SHORT, starts=4), SearchState()
    monkeypatch.setattr(DirectProblem, "loss", lambda *_: (None, next(losses)))
    units = strategy.advance(small_problem(workload=TINY), state, Budget().begin(), 0)
    while state.phase == "begin":
        next(units)
    assert state.private["scales"].tolist() == [5.0, 49.0, 0.4, 3.9]
    assert len(state.private["orders"]) == 4
    assert next(losses, None) is None


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"unknown strategy\.ordering 'softmax'"):
        DosaStrategy(ordering="softmax")
    with pytest.raises(ConfigError, match=r"strategy\.learning_rate"):
        DosaStrategy(learning_rate=-1.0)

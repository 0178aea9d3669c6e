"""Which programs are measured next, and the best design of those that were."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from tests.helpers import generator
from tilegrad.mapping.loopnest import unit_mapping
from tilegrad.measuring.best import best_measured
from tilegrad.measuring.choice import ACQUISITION, RANDOM, SEARCH, Standing, chosen, improvement
from tilegrad.measuring.programs import Programs
from tilegrad.search.objective import objective
from tilegrad.workload import Problem

LAYER = Problem("layer", (1, 1, 4, 1, 4, 4, 1))
EDP = objective("edp")


def programs(*figures: tuple[float, float, float], name: str = "") -> Programs:
    """Return programs of energies, logs of cycles and their deviations."""
    energy, mean, deviation = torch.tensor(figures, dtype=torch.float64).T
    calls = tuple(f"{name}{place}" for place in range(len(figures)))
    return Programs(LAYER, unit_mapping(4, (len(figures),)), energy, mean, deviation, calls)


STANDING = Standing(
    torch.tensor([30.0, 20.0], dtype=torch.float64),
    torch.tensor([100.0, 50.0], dtype=torch.float64),
    torch.tensor([1.0, 3.0], dtype=torch.float64),
)


@pytest.mark.parametrize("name", ["edp", "latency"])
def test_the_expected_improvement_is_that_of_drawn_cycles(name: str) -> None:
    each = programs((22.0, 4.1, 0.3), (19.0, 3.9, 0.02), (15.0, 3.0, 0.8))
    found = improvement(each, 1, STANDING, objective(name))
    normal = torch.randn(400_000, 1, generator=generator(0), dtype=torch.float64)
    cycles = (each.mean + each.deviation * normal).exp()
    values = 100 + 3 * cycles
    now = torch.tensor(250.0, dtype=torch.float64)
    if name == "edp":
        values, now = values * (30 + 3 * each.energy), now * 90
    drawn = (now - values).clamp(min=0).mean(0)
    assert found.tolist() == pytest.approx(drawn.tolist(), rel=0.02, abs=1e-3 * float(now))


def test_of_equal_promise_the_less_certain_is_measured_and_nothing_twice() -> None:
    both = [programs((30.0, 4.7, 0.05), (30.0, 4.7, 0.5), name="a"), programs((20.0, 4.0, 0.0))]
    found = chosen(both, [{"x"}, {"0"}], STANDING, EDP, 3, ACQUISITION, generator(0))
    assert found == [(0, 1), (0, 0)]
    assert chosen(both, [{"a1"}, {"0"}], STANDING, EDP, 3, ACQUISITION, generator(0)) == [(0, 0)]


def test_what_is_chosen_of_a_layer_makes_its_others_less_uncertain() -> None:
    """Two equal layers: the second program is the other one's, whatever their order."""
    both = [programs(*[(30.0, 4.7, 0.5)] * 3, name=name) for name in "ab"]
    standing = Standing(*torch.tensor([[30.0, 30.0], [100.0, 100.0], [1.0, 1.0]]).double())
    found = chosen(both, [{"x"}, {"x"}], standing, EDP, 4, ACQUISITION, generator(0))
    assert sorted(layer for layer, _ in found[:2]) == [0, 1]
    assert sorted(layer for layer, _ in found) == [0, 0, 1, 1]


def test_layers_that_were_never_measured_come_first() -> None:
    both = [programs((30.0, 4.0, 0.1), (29.0, 3.9, 0.9)), programs((20.0, 4.0, 0.1))]
    for choice in (ACQUISITION, SEARCH, RANDOM):
        found = chosen(both, [set(), set()], STANDING, EDP, 2, choice, generator(1))
        # The second is executed three times.
        assert found == [(1, 0), (0, 0)]


def test_plain_search_takes_what_is_predicted_best() -> None:
    each = [programs((30.0, 4.0, 0.1), (30.0, 3.8, 0.0), (30.0, 3.9, 2.0))]
    standing = Standing(
        *(whole[:1] for whole in (STANDING.energy, STANDING.cycles, STANDING.counts))
    )
    assert chosen(each, [{"x"}], standing, EDP, 3, SEARCH, generator(0)) == [(0, 1), (0, 2), (0, 0)]


def test_the_best_design_is_that_of_all_combinations() -> None:
    random = generator(3)
    for _ in range(20):
        layer = torch.tensor([0] * 4 + [1] * 3 + [2] * 5)
        energy, cycles = torch.rand(2, len(layer), generator=random, dtype=torch.float64) + 0.2
        counts = torch.tensor([1.0, 4.0, 2.0], dtype=torch.float64)
        rows = [(layer == place).nonzero().flatten().tolist() for place in range(3)]
        values = {
            each: float((energy[list(each)] @ counts) * (cycles[list(each)] @ counts))
            for each in product(*rows)
        }
        best = best_measured(layer, energy, cycles, counts, EDP)
        assert best is not None
        assert values[best.rows] == pytest.approx(best.value)
        assert best.value == pytest.approx(min(values.values()), rel=1e-9)
    assert best_measured(layer[:6], energy[:6], cycles[:6], counts, EDP) is None

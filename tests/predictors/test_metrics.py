"""Metrics and losses against loops over all pairs."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from torch.nn.functional import softplus

from tilegrad.errors import ConfigError
from tilegrad.predictors import METRICS, Loss, ranking_metrics
from tilegrad.predictors.losses import ranking_loss

# Few levels, so that ties are many, on either side.
levels = st.integers(0, 3).map(float)
table = st.lists(
    st.tuples(levels, levels, st.integers(0, 2), st.integers(0, 1)), min_size=2, max_size=25
)


def by_hand(rows: list[tuple[float, float, int, int]]) -> dict[str, list[float]]:
    """Return right and ranked pairs per layer, ties of the prediction half right."""
    found: dict[int, list[float]] = {}
    for first, second in combinations(rows, 2):
        if first[2] != second[2] or first[1] == second[1]:
            continue
        right = (first[0] - second[0]) * (first[1] - second[1])
        counted = found.setdefault(first[2], [0, 0])
        counted[0] += 0.5 if right == 0 else float(right > 0)
        counted[1] += 1
    return {str(layer): counted for layer, counted in found.items()}


def regret_by_hand(rows: list[tuple[float, float, int, int]]) -> float:
    losses = []
    for choice in {row[2:] for row in rows}:
        among = [row for row in rows if row[2:] == choice]
        if len(among) < 2:
            continue
        picked = [row[1] for row in among if row[0] == min(row[0] for row in among)]
        best = min(row[1] for row in among)
        losses.append(np.mean([np.exp(value - best) - 1 for value in picked]))
    return float(np.mean(losses)) if losses else float("nan")


def metrics(rows: list[tuple[float, float, int, int]]) -> dict[str, float]:
    predicted, measured, layer, machine = (np.array(column) for column in zip(*rows, strict=True))
    return ranking_metrics(predicted, measured, {"layer": layer, "machine": machine})


@settings(max_examples=60, deadline=None)
@given(table)
def test_pair_accuracies_are_those_of_all_pairs(rows: list[tuple[float, float, int, int]]) -> None:
    found, pairs = metrics(rows), by_hand(rows).values()
    if not pairs:
        assert np.isnan([found["pair_accuracy_micro"], found["pair_accuracy_macro"]]).all()
        return
    micro = sum(right for right, _ in pairs) / sum(ranked for _, ranked in pairs)
    assert found["pair_accuracy_micro"] == pytest.approx(micro)
    macro = np.mean([right / ranked for right, ranked in pairs])
    assert found["pair_accuracy_macro"] == pytest.approx(macro)


@settings(max_examples=60, deadline=None)
@given(table)
def test_regret_is_that_of_a_loop_over_choices(rows: list[tuple[float, float, int, int]]) -> None:
    assert metrics(rows)["regret"] == pytest.approx(regret_by_hand(rows), nan_ok=True)


def test_rank_correlations_are_scipys() -> None:
    random = np.random.default_rng(0)
    layer = random.integers(0, 4, 200)
    measured = random.normal(size=200).round(1) + layer
    predicted = measured + random.normal(size=200).round(1)
    found = ranking_metrics(
        predicted, measured, {"layer": layer, "machine": np.zeros(200, dtype=np.int64)}
    )
    assert set(found) == set(METRICS)
    assert found["spearman"] == pytest.approx(spearmanr(predicted, measured).statistic)
    within = [
        spearmanr(predicted[layer == one], measured[layer == one]).statistic for one in range(4)
    ]
    assert found["spearman_layer"] == pytest.approx(np.mean(within))
    error = np.abs(np.exp(predicted) / np.exp(measured) - 1)
    assert found["mape"] == pytest.approx(error.mean())
    assert found["median_error"] == pytest.approx(np.median(error))


def test_a_perfect_prediction_and_a_reversed_one() -> None:
    rows = [(float(x), float(x), layer, 0) for x in range(6) for layer in range(2)]
    perfect = metrics(rows)
    assert {name: perfect[name] for name in METRICS if "error" not in name} == pytest.approx(
        {"pair_accuracy_micro": 1, "pair_accuracy_macro": 1, "spearman_layer": 1, "spearman": 1,
         "mape": 0, "regret": 0}
    )  # fmt: skip
    backwards = metrics([(-p, m, layer, machine) for p, m, layer, machine in rows])
    assert backwards["pair_accuracy_micro"] == 0
    assert backwards["spearman_layer"] == pytest.approx(-1)
    assert backwards["regret"] == pytest.approx(np.exp(5) - 1)


def test_what_cannot_be_judged_is_nan() -> None:
    constant = metrics([(1.0, 2.0, 0, 0), (3.0, 2.0, 0, 0)])
    assert np.isnan([constant[name] for name in ("pair_accuracy_micro", "spearman_layer")]).all()
    nothing_predicted = metrics([(1.0, 2.0, 0, 0), (1.0, 3.0, 0, 0)])
    assert nothing_predicted["pair_accuracy_micro"] == 0.5
    assert nothing_predicted["spearman_layer"] == 0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), neighbours=st.integers(1, 9))
def test_ranking_loss_is_that_of_a_loop(seed: int, neighbours: int) -> None:
    source = torch.Generator().manual_seed(seed)
    predicted = torch.randn(12, 2, generator=source, dtype=torch.float64)
    target = torch.randint(3, (12, 2), generator=source).double()
    layer = torch.randint(3, (12,), generator=source)
    total, pairs = 0.0, 0
    for one in range(3):
        rows = (layer == one).nonzero().flatten().tolist()
        for place, first in enumerate(rows):
            for second in rows[place + 1 : place + 1 + neighbours]:
                for column in range(2):
                    slower = float(target[second, column] - target[first, column])
                    if slower:
                        lead = (predicted[second, column] - predicted[first, column]) / 0.1
                        total += 0.1 * float(softplus(-lead if slower > 0 else lead))
                        pairs += 1
    found = ranking_loss(predicted, target, layer, neighbours, 0.1)
    assert float(found) == pytest.approx(total / max(pairs, 1))


def test_a_step_down_the_ranking_loss_parts_a_pair_the_right_way() -> None:
    predicted = torch.zeros(2, 1, requires_grad=True)
    target, layer = torch.tensor([[1.0], [2.0]]), torch.zeros(2, dtype=torch.int64)
    Loss(regression=0, ranking=1)(predicted, target, layer).backward()
    assert predicted.grad is not None
    assert predicted.grad[0] > 0 > predicted.grad[1]


def test_a_batch_without_a_pair_loses_nothing() -> None:
    predicted = torch.randn(3, 1, requires_grad=True)
    loss = Loss(regression=0, ranking=1)(predicted, torch.randn(3, 1), torch.arange(3))
    loss.backward()
    assert loss == 0
    assert predicted.grad is not None
    assert not predicted.grad.any()


def test_regression_is_hubers() -> None:
    error = torch.tensor([[0.1], [-2.0]])
    found = Loss(delta=0.5)(error, torch.zeros(2, 1), torch.arange(2))
    assert float(found) == pytest.approx((0.1**2 / 2 + 0.5 * (2 - 0.25)) / 2)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"regression": -1.0}, r"model\.loss\.regression is -1"),
        ({"ranking": float("nan")}, r"model\.loss\.ranking is nan"),
        ({"regression": 0.0}, "both 0"),
        ({"delta": 0.0}, r"model\.loss\.delta is 0"),
        ({"margin": 0.0}, r"model\.loss\.margin is 0"),
        ({"neighbours": 0}, r"model\.loss\.neighbours is 0"),
    ],
)
def test_illegal_losses_are_refused(setting: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Loss(**setting)  # type: ignore[arg-type]

"""What each model is made for: known laws are found, wrong settings are refused."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from tests.predictors.helpers import rows, schedules, trained, untrained
from tilegrad.errors import ConfigError
from tilegrad.mapping import LoopNest
from tilegrad.predictors import Linear, Mlp, Reuse, Roofline, Schema, ranking_metrics
from tilegrad.predictors.features.raw import loops
from tilegrad.predictors.soft_maximum import SoftMaximum, join_parts


def test_linear_is_ridge_regression() -> None:
    model = trained("linear", ("latency",), ridge=1e-3)
    seen = rows("analytical", ("latency",))
    features = model.scaled(seen.features).double().numpy()
    target = seen.targets.log()[:, 0].numpy()
    expected = Ridge(alpha=1e-3 * len(seen)).fit(features, target).predict(features)
    np.testing.assert_allclose(model(seen.features)[:, 0].numpy(), expected, atol=1e-4)


def test_coefficients_are_elasticities() -> None:
    schema = Schema("analytical", ("a", "b", "c"), ("latency",), "made", "0")
    features = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    log_target = 2 * features[:, :1] - 0.5 * features[:, 1:2] + 3
    model = Linear(schema, ridge=1e-9)
    model.learn_scales(features, log_target)
    model.fit_rows(features, (log_target - model.target_mean) / model.target_scale)
    found = model.importances()["coefficient.latency"]
    assert found == pytest.approx({"a": 2, "b": -0.5, "c": 0}, abs=1e-4)
    torch.testing.assert_close(model(features), log_target, rtol=0, atol=1e-4)


@pytest.mark.parametrize("target", ["latency", "energy", "edp"])
def test_an_untrained_roofline_ranks_by_the_nest(target: str) -> None:
    model = untrained("roofline", (target,))
    seen = rows(model.reads, (target,))
    batch = seen[torch.arange(len(seen))]
    with torch.no_grad():
        model.learn_scales(batch["features"], batch["log_targets"])
        predicted = model(batch["features"])[:, 0].double().numpy()
    measured = seen.targets.log()[:, 0].numpy()
    groups = {"layer": seen.layer.numpy(), "machine": seen.machine.numpy()}
    assert abs((predicted - measured).mean()) < 0.01
    least = 0.98 if target == "latency" else 0.7
    assert ranking_metrics(predicted, measured, groups)["pair_accuracy_micro"] > least


def test_a_rooflines_correction_is_bounded() -> None:
    model = trained("roofline", ("latency",), correction=0.2)
    assert isinstance(model, Roofline)
    features = rows(model.reads).features
    with torch.no_grad():
        corrected = model(features)
        model.network[-1].weight.mul_(0)
        model.network[-1].bias.mul_(0)  # type: ignore[operator]
        bare = model(features)
        model.network[-1].bias.add_(1e3)  # type: ignore[operator]
        most = model(features)
    assert (corrected - bare).abs().max() <= 0.2 + 1e-5
    torch.testing.assert_close(most - bare, torch.full_like(bare, 0.2), rtol=0, atol=1e-4)


def test_soft_maximum_lies_between_maximum_and_sum() -> None:
    terms = torch.randn(30, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    soft = SoftMaximum(1.0).double()
    torch.testing.assert_close(soft(terms), terms.exp().sum(-1).log())
    with torch.no_grad():
        soft.log_sharpness.fill_(math.log(1e4))
    torch.testing.assert_close(soft(terms), terms.amax(-1), rtol=0, atol=1e-3)


def test_edp_is_latency_times_energy() -> None:
    parts = {"cycles": torch.tensor([1.0, 2.0]), "pj": torch.tensor([10.0, 20.0])}
    joined = join_parts(parts, ("edp", "energy", "latency"))
    assert joined.tolist() == [[11, 10, 1], [22, 20, 2]]


def test_reuse_sees_which_loops_iterate_inside_which() -> None:
    model = untrained("reuse", ("latency",))
    assert isinstance(model, Reuse)
    features = rows("raw").features
    held = loops(schedules().accelerator)
    places = model.schema.places("temporal")
    for row in range(0, len(features), 29):
        found = model._inside_of(features[row], features[row, places])
        for i, outer in enumerate(held):
            for j, inner in enumerate(held):
                if schedules().nests.temporal[row][outer] == 1:
                    continue  # A loop of one iteration multiplies nothing, whatever is inside.
                expected = _lies_inside(schedules().nests[row], outer, inner)
                assert found[i, j] == expected, (row, outer, inner)


def _lies_inside(nest: LoopNest, outer: tuple[int, int], inner: tuple[int, int]) -> bool:
    """Return whether ``inner``, a (level, dim), iterates and lies inside ``outer``."""
    if nest.temporal[inner] == 1 or outer == inner:
        return False
    if outer[0] != inner[0]:
        return inner[0] < outer[0]
    order = nest.order[outer[0]].tolist()
    return order.index(inner[1]) > order.index(outer[1])


def test_features_outside_the_training_range_are_measured() -> None:
    model = trained("mlp")
    features = rows(model.reads).features
    assert not model.beyond_range(features).any()
    outside = features[:1].clone()
    outside[0, 3] = model.highest[3] + 2
    outside[0, 5] = model.lowest[5] - 1
    found = model.beyond_range(outside)[0]
    assert found[3].item() == pytest.approx(2, abs=0.01)
    assert found[5].item() == pytest.approx(1, abs=0.01)
    assert found.count_nonzero() == 2


def test_a_clipped_perceptron_does_not_leave_the_training_range() -> None:
    plain, clipped = trained("mlp"), trained("mlp", clip=True)
    features = rows(plain.reads).features
    torch.testing.assert_close(clipped(features), plain(features), rtol=0, atol=0)
    outside = features.clone()
    outside[:, 3] = plain.highest[3] + 50
    nearest = features.clone()
    nearest[:, 3] = plain.highest[3]
    torch.testing.assert_close(clipped(outside), plain(nearest), rtol=0, atol=0)
    assert not torch.equal(plain(outside), plain(nearest))


@pytest.mark.parametrize(
    ("kind", "setting", "message"),
    [
        ("linear", {"ridge": 0}, r"model\.ridge is 0"),
        ("mlp", {"hidden": [8, 0]}, r"model\.hidden\[1\] is 0"),
        ("mlp", {"hidden": "8"}, r"model\.hidden is '8'.*list of integers"),
        ("mlp", {"activation": "rely"}, r"'rely'.*nearest: relu"),
        ("mlp", {"clip": 1}, r"model\.clip is 1; legal: true, false"),
        ("roofline", {"correction": -1}, r"model\.correction is -1"),
        ("reuse", {"terms": 0}, r"model\.terms is 0"),
    ],
)
def test_illegal_settings_are_refused(kind: str, setting: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        untrained(kind, **setting)


def test_a_model_needs_the_columns_it_reads() -> None:
    accelerator = schedules().accelerator
    with pytest.raises(ConfigError, match=r"features=raw has no columns roofline"):
        Roofline(Schema.of("raw", accelerator, ["latency"]))
    with pytest.raises(ConfigError, match=r"features=analytical has no columns temporal"):
        Reuse(Schema.of("analytical", accelerator, ["latency"]))


def test_descent_refuses_what_its_optimizer_does() -> None:
    schema = Schema.of("raw", schedules().accelerator, ["latency"])
    with pytest.raises(ConfigError, match=r"model\.optimizer is null.*model mlp"):
        Mlp(schema).descent(10)
    model = Mlp(schema, optimizer=partial(torch.optim.Adam, lr=-1.0))
    with pytest.raises(ConfigError, match=r"model\.optimizer with lr=-1\.0: .*-1\.0"):
        model.descent(10)
    assert trained("forest").descent(10) is None

"""The forest's tensors predict what scikit-learn's forest predicts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestRegressor
from torch import Tensor

from tests.predictors.helpers import rows, trained, untrained
from tilegrad.errors import ConfigError
from tilegrad.predictors import TARGETS, Forest, Schema
from tilegrad.predictors.forest import _rounded_down

FOREST = {"trees": 15, "depth": 5, "max_features": 0.5, "seed": 3, "workers": 1}


def reference(
    targets: tuple[str, ...], max_samples: int | None = None
) -> tuple[RandomForestRegressor, Tensor, Tensor]:
    """Return scikit-learn's forest of the made schedules, and what it was fitted to."""
    seen = rows("analytical", targets)
    batch = seen[torch.arange(len(seen))]
    log_targets = batch["log_targets"]
    scaled = (log_targets - log_targets.mean(0)) / log_targets.std(0, unbiased=False)
    forest = RandomForestRegressor(
        15, max_depth=5, max_features=0.5, max_samples=max_samples, random_state=3
    )
    forest.fit(batch["features"].numpy(), scaled.squeeze(-1).numpy())
    return forest, batch["features"], log_targets


@pytest.mark.parametrize("targets", [("latency",), tuple(TARGETS)])
def test_predictions_are_scikit_learns(targets: tuple[str, ...]) -> None:
    forest, features, log_targets = reference(targets)
    model = trained("forest", targets, **FOREST)
    unseen = features[torch.randperm(len(features))] * 0.5 + features * 0.5
    for asked in (features, unseen):
        expected = torch.from_numpy(forest.predict(asked.numpy())).reshape(-1, len(targets))
        found = (model(asked).double() - log_targets.mean(0)) / log_targets.std(0, unbiased=False)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-4, check_dtype=False)


def test_impurity_decreases_are_scikit_learns() -> None:
    forest, _, _ = reference(("latency",))
    found = trained("forest", ("latency",), **FOREST).importances()["mdi"]
    np.testing.assert_allclose(list(found.values()), forest.feature_importances_, atol=1e-5)


def test_a_tree_draws_the_rows_it_is_given() -> None:
    forest, features, _ = reference(("latency",), max_samples=20)
    found = trained("forest", ("latency",), **FOREST, tree_rows=20)
    np.testing.assert_allclose(
        list(found.importances()["mdi"].values()), forest.feature_importances_, atol=1e-5
    )
    assert not torch.equal(found(features), trained("forest", ("latency",), **FOREST)(features))


def test_thresholds_between_neighbouring_floats_part_them() -> None:
    """A float64 threshold halfway between two float32 values must not move above either."""
    below = np.linspace(1, 2, 999, dtype=np.float32)
    above = np.nextafter(below, np.float32(9))
    thresholds = (below.astype(np.float64) + above.astype(np.float64)) / 2
    rounded = _rounded_down(thresholds).numpy()
    assert rounded.dtype == np.float32
    assert (below <= rounded).all()
    assert (above > rounded).all()


def test_the_seed_alone_decides() -> None:
    features = rows("analytical").features
    model = trained("forest")
    assert torch.equal(trained("forest", workers=2)(features), model(features))
    assert not torch.equal(trained("forest", seed=1)(features), model(features))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"trees": 0}, r"model\.trees is 0"),
        ({"depth": 2.5}, r"model\.depth is 2\.5"),
        ({"max_features": 1.5}, r"model\.max_features is 1\.5.*at most 1"),
        ({"tree_rows": 0}, r"model\.tree_rows is 0"),
        ({"workers": -1}, r"model\.workers is -1"),
    ],
)
def test_illegal_settings_are_refused(setting: dict[str, float], message: str) -> None:
    schema: Schema = untrained("forest").schema
    with pytest.raises(ConfigError, match=message):
        Forest(schema, **setting)  # type: ignore[arg-type]

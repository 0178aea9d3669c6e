"""The forest: its trees beside scikit-learn's, its draws, its tensors beside a literal walk."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.tree import DecisionTreeRegressor

from tests.predictors.helpers import rows, trained, untrained
from tilegrad.errors import ConfigError
from tilegrad.predictors import Forest, Schema
from tilegrad.predictors.forest import _rounded_down
from tilegrad.predictors.trees import Grown, Growth, Ranked, grow, weighted_tree

FOREST = {"trees": 15, "depth": 5, "max_features": 0.5, "seed": 3, "workers": 1}


def made(values: int = 9, targets: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return 150 rows of seven columns, of few values, two of them constant, and targets."""
    random = np.random.default_rng(5)
    columns = random.integers(0, values, (150, 7)).astype(np.float32) / 3
    columns[:, [1, 4]] = 2.0
    found = np.sin(columns @ random.random((7, targets))) + random.random((150, targets)) / 9
    return columns, found / found.std(0)


def walked(tree: Grown, rows: np.ndarray) -> np.ndarray:
    """Return the means that rows ``[row, column]`` come to, one by one."""
    found = []
    for row in rows:
        node = 0
        while tree.column[node] >= 0:
            left = row[tree.column[node]] <= tree.at[node]
            node = (tree.below if left else tree.above)[node]
        found.append(tree.means[node])
    return np.stack(found)


@pytest.mark.parametrize(("values", "targets", "depth"), [(9, 1, 4), (90, 3, 4), (2000, 1, 4)])
def test_a_tree_of_all_columns_is_scikit_learns(values: int, targets: int, depth: int) -> None:
    """Few values or many, one target or several, rows that were drawn never or several times."""
    rows, found = made(values, targets)
    random = np.random.default_rng(1)
    weights = random.integers(0, 4, len(rows)).astype(np.float64)
    growth = Growth(trees=1, depth=depth, columns=7, rows=150, seed=0)
    tree = weighted_tree(Ranked.of(rows), found, weights, growth, random)
    seen = weights > 0
    expected = DecisionTreeRegressor(max_depth=depth, random_state=0)
    expected.fit(rows[seen], found[seen], sample_weight=weights[seen])
    assert len(tree.column) == expected.tree_.node_count
    np.testing.assert_allclose(
        walked(tree, rows[seen]), expected.predict(rows[seen]).reshape(seen.sum(), -1), atol=1e-9
    )
    # Columns that part a few rows alike share the decrease as it happens.
    np.testing.assert_allclose(tree.decrease, expected.feature_importances_, atol=1e-3)


def test_ranks_stand_for_values_however_many() -> None:
    rows = np.array([[3.0, 1.0], [-1.0, 1.0], [3.0, 1.0], [0.5, 1.0]], np.float32)
    ranked = Ranked.of(rows)
    assert ranked.ranks.tolist() == [[2, 0, 2, 1], [0, 0, 0, 0]]
    columns = np.arange(2)[:, None].repeat(4, 1)
    assert ranked.at(columns, ranked.ranks).T.tolist() == rows.tolist()
    many = Ranked.of(np.arange(70_000, dtype=np.float32)[::-1, None])
    assert many.ranks[0].tolist() == list(range(69_999, -1, -1))


def test_a_node_tries_as_many_columns_as_it_is_told_any_of_them() -> None:
    """Of 400 roots that try two of seven columns, constant ones among them, by a literal count.

    The best column wins where it is drawn; where both that are drawn are constant others follow.
    """
    rows, found = made()
    growth = Growth(trees=400, depth=1, columns=2, rows=150, seed=0)
    trees = grow(rows, found, growth, workers=1)
    roots = np.bincount([tree.column[0] for tree in trees], minlength=7) / 400
    assert roots[[1, 4]].sum() == 0
    # Drawn first or second: 2/7; both constant at first (1/21): by one of five.
    best = 2 / 7 + 1 / 21 / 5
    assert abs(roots.max() - best) < 4 * (best / 400) ** 0.5
    assert (roots > 0).sum() >= 4


def test_the_forest_is_the_mean_of_its_trees() -> None:
    seen = rows("analytical")
    batch = seen[torch.arange(len(seen))]
    model = trained("forest", tree_rows=90, **FOREST)  # type: ignore[arg-type]
    scaled = (batch["log_targets"] - model.target_mean) / model.target_scale
    features = batch["features"].numpy()
    columns = int(features.shape[1] / 2)
    trees = grow(features, scaled.numpy(), Growth(15, 5, columns, 90, 3), workers=2)
    expected = np.mean([walked(tree, features) for tree in trees], 0)
    np.testing.assert_allclose(model.standardised(batch["features"]), expected, atol=1e-5)
    decrease = np.mean([tree.decrease for tree in trees], 0)
    np.testing.assert_allclose(list(model.importances()["mdi"].values()), decrease, atol=1e-6)
    assert decrease.sum() == pytest.approx(1)


def test_a_tree_draws_the_rows_it_is_given() -> None:
    features, found = made(2000)
    few, all_of_them = (grow(features, found, Growth(9, 30, 7, drawn, 0)) for drawn in (20, 10_000))
    leaves = [sum((tree.column < 0).sum() for tree in trees) / 9 for trees in (few, all_of_them)]
    # Of n rows drawn with replacement about 1 - 1/e are different, fewer where n is all of them.
    assert 14 <= leaves[0] <= 20
    assert 0.55 * 150 <= leaves[1] <= 0.7 * 150


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

"""What measured programs say of programs like them."""

from __future__ import annotations

from math import exp
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.helpers import gemmini, generator
from tests.predictors.helpers import rows, trained
from tilegrad.predictors import Pipeline, load_predictor
from tilegrad.predictors.base import Batch
from tilegrad.predictors.checkpoint import save_predictor
from tilegrad.predictors.likeness import ALIKE, OF_LAYER, OWN, REACH, Likeness


def made() -> tuple[Pipeline, Batch]:
    """Return a small pipeline in doubles and rows that it predicts, errors apart."""
    model, seen = trained("pipeline", ("latency",)), rows("commands", ("latency",))
    assert isinstance(model, Pipeline)
    model, batch = model.double(), seen[torch.arange(len(seen))]
    features = batch["features"].double()
    return model, {**batch, "features": features, "log_targets": model(features)}


def test_it_is_the_mean_of_a_normal_distribution_given_what_was_measured() -> None:
    """By the inverse of the joint covariance of measured and new rows, entry by entry."""
    random = generator(0)
    properties, new = (torch.randn(n, 3, generator=random).double() for n in (7, 2))
    layer = torch.tensor([0, 0, 1, 1, 1, 2, 3])
    errors = 0.2 * torch.randn(7, generator=random).double()
    process = Likeness(7, 3).double()
    process.learn(properties, layer, errors)
    scaled = torch.cat([properties, new]).numpy()
    scaled = (scaled - properties.numpy().mean(0)) / properties.numpy().std(0)
    layers = [*layer.tolist(), 10, 11]
    covariance = np.zeros((9, 9))
    for one in range(9):
        for other in range(9):
            apart = ((scaled[one] - scaled[other]) ** 2).sum()
            covariance[one, other] = ALIKE**2 * exp(-apart / (2 * REACH**2))
            covariance[one, other] += OF_LAYER**2 * (layers[one] == layers[other])
            covariance[one, other] += OWN**2 * (one == other)
    precision = np.linalg.inv(covariance)
    expected = -np.linalg.inv(precision[7:, 7:]) @ precision[7:, :7] @ errors.numpy()
    torch.testing.assert_close(process(new), torch.from_numpy(expected))
    assert torch.autograd.gradcheck(process, new.requires_grad_(True))


def test_what_is_the_same_in_a_layer_is_not_expected_of_others() -> None:
    """Each program's like in the other layer: errors by layer cancel, errors by program do not."""
    properties = torch.tensor([[-2.0], [2.0], [-2.0], [2.0]], dtype=torch.float64)
    layer = torch.tensor([0, 0, 1, 1])
    process = Likeness(4, 1).double()
    process.learn(properties, layer, torch.tensor([0.2, 0.2, -0.2, -0.2]).double())
    assert process(properties).abs().max() < 1e-9
    process.learn(properties, layer, torch.tensor([0.2, -0.2, 0.2, -0.2]).double())
    assert process(properties)[0] > 0.05
    assert process(properties)[1] < -0.05


def test_unmeasured_programs_err_less_by_what_measured_ones_like_them_say() -> None:
    model, batch = made()
    computes, preloads = (
        batch["features"][:, model.schema.columns.index(f"count.{name}")]
        for name in ("computes", "preloads")
    )
    a_block = computes - preloads
    slower: Tensor = 0.1 * torch.tanh((a_block - a_block.mean()) / a_block.std())
    batch["log_targets"] = batch["log_targets"] + slower[:, None]
    seen = batch["layer"] % 2 == 0
    model.learn_likeness({name: values[seen] for name, values in batch.items()})
    errors = (model(batch["features"]) - batch["log_targets"])[~seen].abs().mean()
    assert errors < 0.7 * slower[~seen].abs().mean()


def test_bounds_hold_with_it_and_a_checkpoint_keeps_it(tmp_path: Path) -> None:
    model, batch = made()
    features, errors = batch["features"], 0.2 * torch.randn(len(batch["layer"]), 1).double()
    plain = model(features)
    model.learn_likeness({**batch, "log_targets": batch["log_targets"] + errors})
    assert not torch.allclose(model(features), plain, atol=0.01)
    assert (model.least(features) <= model(features).squeeze(-1)).all()
    places = [model.schema.columns.index(f"occupancy.{of}") for of in ("scratchpad", "accumulator")]
    parts = model.after(model.before(features, places), features[:, places], places)
    torch.testing.assert_close(parts, model(features).squeeze(-1))
    save_predictor(model, tmp_path / "a.ckpt")
    found = load_predictor(tmp_path / "a.ckpt", gemmini()).double()
    torch.testing.assert_close(found(features), model(features), rtol=0, atol=1e-5)


@pytest.mark.parametrize("again", [True, False])
def test_what_was_learnt_before_is_dropped(again: bool) -> None:
    model, batch = made()
    if again:
        model.learn_likeness({**batch, "log_targets": batch["log_targets"] + 0.3})
    model.learn_likeness(batch)
    torch.testing.assert_close(model(batch["features"]), batch["log_targets"])

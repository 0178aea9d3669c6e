"""How far programs are from those of the training, against distances one by one."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.helpers import generator
from tests.predictors.helpers import rows, trained
from tilegrad.predictors import Pipeline
from tilegrad.predictors.base import Batch
from tilegrad.predictors.familiar import LEAST, NEAR, Familiar


def learnt() -> tuple[Familiar, Tensor, Tensor, Tensor]:
    source = generator(0)
    seen = torch.randn(40, 3, generator=source) * torch.tensor([1.0, 5.0, 0.01])
    apart = torch.randint(4, (40,), generator=source)
    made = Familiar(40, 3)
    return made, seen, apart, made.learn(seen, apart)


def test_factors_are_distances_to_the_nearest_row_that_is_not_left_out_with_it() -> None:
    made, seen, apart, factors = learnt()
    # What hardly varies counts as if it varied by three tenths.
    scaled = (seen - seen.mean(0)) / seen.std(0, unbiased=False).clamp(min=0.3)
    near = torch.stack(
        [
            min(
                (scaled[one] - scaled[other]).norm()
                for other in range(40)
                if apart[other] != apart[one]
            )
            for one in range(40)
        ]
    )
    expected = ((near + NEAR) / (near + NEAR).median()).clamp(min=LEAST)
    torch.testing.assert_close(factors, expected, rtol=1e-4, atol=0)
    new = torch.randn(2, 5, 3, generator=generator(1)) * 3
    moved = (new - seen.mean(0)) / seen.std(0, unbiased=False).clamp(min=0.3)
    far = torch.stack([(scaled - row).norm(dim=-1).min() for row in moved.flatten(0, 1)])
    expected = ((far + NEAR) / (near + NEAR).median()).clamp(min=LEAST).reshape(2, 5)
    assert expected.max() > 2
    torch.testing.assert_close(made(new), expected, rtol=1e-4, atol=0)
    assert (made(seen) == LEAST).all()


def calibrated() -> tuple[Pipeline, Batch]:
    model, seen = trained("pipeline", ("latency",)), rows("commands", ("latency",))
    assert isinstance(model, Pipeline)
    batch = seen[torch.arange(len(seen))]
    model.calibrate(batch)
    return model, batch


def test_intervals_widen_with_the_distance_and_predictions_stay() -> None:
    model, batch = calibrated()
    features = batch["features"]
    before, width = model(features), model.half_width(features, 0.9)
    assert width is not None
    usual = model.unfamiliar(features)
    assert model.familiar is not None
    model.familiar.seen += 5.0
    wider = model.half_width(features, 0.9)
    assert wider is not None
    assert (model.unfamiliar(features) > 1.5 * usual).all()
    expected = width.squeeze(-1) / usual * model.unfamiliar(features)
    torch.testing.assert_close(wider.squeeze(-1), expected)
    assert torch.equal(model(features), before)
    level = model.reaching_level(features, wider)
    assert level is not None
    assert (level - 0.9).abs().max() < 0.01


def test_a_checkpoints_settings_make_room_for_the_rows_it_knows() -> None:
    model, batch = calibrated()
    again = type(model)(model.schema, **model.settings)
    again.load_state_dict(model.state_dict())
    features = batch["features"]
    assert torch.equal(again.unfamiliar(features), model.unfamiliar(features))

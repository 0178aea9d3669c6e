"""The contract of every predictor: inherit, and name its kind.

``class TestMine(PredictorContract): kind = "mine"``
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from tests.predictors.helpers import rows, save, schedules, trained, untrained
from tilegrad.errors import ConfigError
from tilegrad.predictors import TARGETS, load_predictor
from tilegrad.predictors.base import CHECKPOINT_KEY

STEP = 1e-6
"""Of the central differences, in log."""


class PredictorContract:
    """What load, search and training rely on.

    ``discrete`` names groups of columns that the predictor only compares, so that a slope in them
    says nothing; ``targets`` are those it can predict.
    """

    kind: ClassVar[str]
    targets: ClassVar[tuple[str, ...]] = tuple(TARGETS)
    discrete: ClassVar[tuple[str, ...]] = ()

    @pytest.fixture
    def features(self) -> Tensor:
        return rows(untrained(self.kind, self.targets).reads).features.clone()

    def test_batched_is_one_by_one(self, features: Tensor) -> None:
        model = trained(self.kind, self.targets).double()
        together = model(features.double())
        assert together.shape == (len(features), len(self.targets))
        for place in (0, 7, len(features) - 1):
            torch.testing.assert_close(
                model(features[place].double()), together[place], rtol=1e-12, atol=0
            )

    def test_leading_dimensions_are_kept(self, features: Tensor) -> None:
        model = trained(self.kind, self.targets).double()
        some = features[:12].double()
        grid = model(some.reshape(3, 4, -1))
        torch.testing.assert_close(grid.reshape(12, -1), model(some), rtol=1e-12, atol=0)
        assert model(some[:0]).shape == (0, len(self.targets))

    def test_one_target_predicts_one(self, features: Tensor) -> None:
        for target in self.targets:
            assert trained(self.kind, (target,))(features).shape == (len(features), 1)

    def test_gradient_is_that_of_central_differences(self, features: Tensor) -> None:
        model = trained(self.kind, self.targets).double()
        if not model.differentiable:
            pytest.skip(f"{self.kind} has no gradient, and says so")
        # Off the ties and kinks that integer factors lie on.
        source = torch.Generator().manual_seed(1)
        noise = torch.rand(features.shape, generator=source, dtype=torch.float64)
        point = (features.double() + 0.1 + 0.1 * noise)[:3]
        gradient = torch.autograd.functional.jacobian(lambda x: model(x).sum(0), point)
        for column, name in enumerate(model.schema.columns):
            if name.split(".")[0] in self.discrete:
                continue
            step = torch.zeros_like(point)
            step[:, column] = STEP
            slope = (model(point + step) - model(point - step)) / (2 * STEP)
            torch.testing.assert_close(gradient[:, :, column].T, slope, rtol=1e-5, atol=1e-7)

    def test_checkpoint_round_trip_is_identical(self, features: Tensor, tmp_path: Path) -> None:
        model = trained(self.kind, self.targets)
        save(model, tmp_path / "model.ckpt")
        loaded = load_predictor(tmp_path / "model.ckpt", schedules().accelerator)
        assert torch.equal(loaded(features), model(features))
        assert (loaded.schema, loaded.settings) == (model.schema, model.settings)
        assert loaded.importances() == model.importances()
        assert not any(parameter.requires_grad for parameter in loaded.parameters())
        for found, expected in (
            (loaded.lowest, features.amin(0)),
            (loaded.highest, features.amax(0)),
        ):
            assert torch.equal(found, expected)

    def test_weights_of_other_settings_are_refused(self, tmp_path: Path) -> None:
        content = save(trained(self.kind, self.targets), tmp_path / "model.ckpt")
        content["state_dict"].popitem()
        torch.save(content, tmp_path / "model.ckpt")
        with pytest.raises(ConfigError, match=r"model\.ckpt does not fit its own settings"):
            load_predictor(tmp_path / "model.ckpt", schedules().accelerator)

    def test_checkpoint_says_what_made_it(self, tmp_path: Path) -> None:
        made = save(trained(self.kind, self.targets), tmp_path / "model.ckpt")[CHECKPOINT_KEY]
        assert made["kind"] == self.kind
        assert made["schema"]["accelerator"] == "gemmini"

"""The datamodule: rows, batches, what a fold serves, and what it refuses."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import Trainer

from tests.helpers_schedules import MadeSchedules
from tests.predictors.helpers import trained
from tilegrad.datamodules import (
    NoTest,
    ScheduleDataModule,
    UnseenLayers,
    UnseenMappings,
    feature_rows,
)
from tilegrad.datamodules.batches import Batches, rows_of_a_batch
from tilegrad.errors import ConfigError, DataError
from tilegrad.predictors.features import feature_set
from tilegrad.schedules import Schedules
from tilegrad.shape.conv import K
from tilegrad.tracking.quiet import quiet_lightning
from tilegrad.training.predictions import predict


def module(**changes: Any) -> ScheduleDataModule:
    settings: dict[str, Any] = {
        "source": MadeSchedules(),
        "split": UnseenLayers(3),
        "features": "analytical",
        "targets": ["latency", "energy", "edp"],
        "batch_size": 32,
        **changes,
    }
    made = ScheduleDataModule(**settings)
    made.load()
    return made


def test_a_fold_serves_its_rows_once_each() -> None:
    data = module()
    for fold in data.folds:
        data.use(fold)
        served = {
            name: torch.cat([batch["features"] for batch in loader])
            for name, loader in (
                ("train", data.train_dataloader()),
                ("val", data.val_dataloader()),
                ("test", data.predict_dataloader()),
            )
        }
        assert torch.equal(served["test"], data.rows.features[fold.test])
        together = torch.cat([served["train"], served["val"]])
        expected = data.rows.features[fold.train]
        assert torch.equal(together.sort(0).values, expected.sort(0).values)
        assert len(data.training_rows()["features"]) == len(served["train"])


def test_validation_rows_are_of_groups_not_trained_on() -> None:
    for split, column in ((UnseenLayers(2), "layer"), (UnseenMappings(2), "mapping")):
        data = module(split=split, validation=0.3)
        data.use(data.folds[0])
        ids = getattr(data.groups, column)
        assert not set(ids[data._train].tolist()) & set(ids[data._val].tolist())


def test_batches_are_shuffled_by_seed_and_epoch() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        batches = Batches(torch.arange(100, 150), 20, seed, shuffled=True)
        batches.set_epoch(epoch)
        parts = list(batches)
        assert [len(part) for part in parts] == [20, 20, 10]
        assert len(batches) == 3
        return torch.cat(parts).tolist()

    assert order(0, 0) == order(0, 0)
    assert sorted(order(0, 0)) == list(range(100, 150))
    assert len({tuple(order(*key)) for key in ((0, 0), (0, 1), (1, 0), (2**32 - 1, 7))}) == 4


def test_batches_follow_the_rows_where_none_are_asked_for() -> None:
    """Half a million simulated rows make batches of 4,096, a table of 1,920 more than one step."""
    assert module(batch_size=None).batch_size == 32
    sizes = {0: 32, 1_920: 32, 67_178: 512, 163_840: 1_024, 491_520: 4_096, 10**7: 4_096}
    assert {rows: rows_of_a_batch(rows) for rows in sizes} == sizes


def test_the_room_of_the_datamodules_opens_from_the_top() -> None:
    top = Path(__file__).parents[2] / "datamodules"
    assert top.is_symlink()
    assert not top.readlink().is_absolute()
    assert (top / "schedules.py").samefile(str(inspect.getsourcefile(ScheduleDataModule)))


def test_targets_keep_all_their_digits() -> None:
    data = module()
    source = MadeSchedules().load().targets
    for place, target in enumerate(("latency", "energy", "edp")):
        assert torch.equal(data.rows.targets[:, place], source[target])
    batch = data.rows[torch.tensor([3])]
    assert batch["log_targets"].dtype == torch.float32
    torch.testing.assert_close(batch["log_targets"][0, 0].exp(), source["latency"][3].float())


def test_a_trainer_predicts_what_the_run_predicts() -> None:
    data = module()
    data.use(data.folds[1])
    model = trained("mlp")
    with quiet_lightning():
        trainer = Trainer(logger=False, enable_checkpointing=False, accelerator="cpu",
                          enable_progress_bar=False)  # fmt: skip
        parts = trainer.predict(model, data)
    expected = predict(model, data.rows.features[data.folds[1].test])
    torch.testing.assert_close(torch.cat(parts).double(), torch.from_numpy(expected))  # type: ignore[arg-type]


def test_predictions_that_are_not_finite_are_refused() -> None:
    data = module(split=NoTest())
    model = trained("mlp")
    model.target_scale[0] = torch.nan
    with pytest.raises(DataError, match=r"120 of 120 rows are not finite.*model\.optimizer\.lr"):
        predict(model, data.rows.features)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 0}, r"data\.batch_size is 0"),
        ({"batch_size": True}, r"data\.batch_size is True"),
        ({"validation": 1}, r"data\.validation is 1.*< 1"),
        ({"validation": "half"}, r"data\.validation is 'half'"),
        ({"features": "row"}, r"'row'.*nearest: raw"),
        ({"targets": ["lat"]}, r"'lat'.*nearest: latency"),
        ({"targets": None}, r"targets is \[\]"),
    ],
)
def test_illegal_settings_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        module(**change)


def test_a_target_that_was_not_measured_is_refused() -> None:
    with pytest.raises(DataError, match=r"measure no energy \(they have latency\)"):
        module(source=MadeSchedules(energy=False))


@dataclass(frozen=True)
class Changed:
    """Made schedules with other latencies."""

    latency: torch.Tensor

    def load(self, progress: object = None) -> Schedules:  # noqa: ARG002
        made = MadeSchedules().load()
        return replace(made, targets={**made.targets, "latency": self.latency})


@pytest.mark.parametrize("bad", [0.0, -3.0, torch.nan, torch.inf])
def test_a_target_without_a_logarithm_is_refused(bad: float) -> None:
    latency = MadeSchedules().load().targets["latency"].clone()
    latency[[6, 99]] = bad
    message = rf"latency of row 7 is {bad:g}, and 1 other rows have such cells; legal: numbers > 0"
    with pytest.raises(DataError, match=message):
        module(source=Changed(latency))


def test_loops_that_no_feature_tells_are_refused() -> None:
    """The nest counts a loop over K at Gemmini's registers; raw features have no column for it."""
    made = MadeSchedules().load()
    temporal = made.nests.temporal.clone()
    temporal[[6, 99], 0, K] *= 2
    changed = replace(made, nests=replace(made.nests, temporal=temporal))
    message = (
        r"features=raw has no column for some loop of row 7, 'L3\[WIO\] .*', and of 1 other rows: "
        r".*; legal: .* features=analytical"
    )
    with pytest.raises(DataError, match=message):
        feature_rows(changed, feature_set("raw"), ["latency"])
    for features in ("analytical", "commands"):
        assert len(feature_rows(changed, feature_set(features), ["latency"])) == len(made)


def test_batches_to_learn_by_heart_are_the_same_in_every_epoch() -> None:
    data = module()
    data.trainer = Trainer(overfit_batches=2, logger=False, enable_checkpointing=False,
                           accelerator="cpu", enable_progress_bar=False)  # fmt: skip
    loader = data.train_dataloader()
    first = [batch["features"] for batch in loader]
    loader.sampler.set_epoch(1)  # type: ignore[attr-defined]
    assert all(torch.equal(*pair) for pair in zip(first, data_again(loader), strict=True))
    assert len(first[0]) == 32


def data_again(loader: Any) -> list[torch.Tensor]:
    return [batch["features"] for batch in loader]


def test_few_schedules_of_each_layer_on_each_machine_train_and_all_are_tested() -> None:
    whole, few = module(), module(schedules_per_layer=2)
    pairs = whole.groups.layer * len(whole.groups.machine_names) + whole.groups.machine
    for fold in whole.folds:
        few.use(fold)
        rows = torch.cat([few._train, few._val])
        present = fold.train[torch.isin(pairs[fold.train], pairs[rows])]
        expected = pairs[present].bincount().clamp(max=2)
        assert torch.equal(pairs[rows].bincount(minlength=len(expected)), expected)
        assert torch.equal(pairs[rows].unique(), pairs[fold.train].unique())
        assert rows.unique().numel() == len(rows)
        assert torch.isin(rows, fold.train).all()
    drawn = [module(schedules_per_layer=2, seed=seed) for seed in (1, 1, 2)]
    for each in drawn:
        each.use(whole.folds[0])
    rows = [torch.cat([each._train, each._val]).sort().values for each in drawn]
    assert torch.equal(rows[0], rows[1])
    assert not torch.equal(rows[0], rows[2])
    with pytest.raises(ConfigError, match=r"data\.schedules_per_layer is 0; legal: an integer"):
        module(schedules_per_layer=0)

"""Intervals on machines that a predictor was not trained on."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.helpers import gemmini
from tests.predictors.helpers import rows, trained
from tilegrad.datamodules import feature_rows
from tilegrad.predictors import Pipeline, load_predictor
from tilegrad.predictors.base import Batch
from tilegrad.predictors.elsewhere import LEVEL, PROCESSORS, WIDER
from tilegrad.predictors.features import feature_set
from tilegrad.pretrained import checkpoint_path
from tilegrad.schedules import TableFile

STATED = {"issue_cycles": 50.0, "start_cycles": 100.0}
MEASURED = {"memory_latency": 40.0, "memory_cache_kb": 0.0, **STATED}
"""Facts of the Gemmini whose measurements come with the package."""


def made() -> tuple[Pipeline, Batch]:
    """Return a small calibrated pipeline and the rows of its own machine."""
    model, seen = trained("pipeline", ("latency",)), rows("commands", ("latency",))
    assert isinstance(model, Pipeline)
    batch = seen[torch.arange(len(seen))]
    model.calibrate(batch)
    return model, batch


def elsewhere(model: Pipeline, features: Tensor, **facts: float) -> Tensor:
    """Return the features with other facts of the machine; logs where they are stated in logs."""
    changed = features.clone()
    for name, fact in facts.items():
        place = model.schema.columns.index(f"machine.{name}")
        changed[:, place] = torch.tensor(fact).log() if name in STATED else fact
    return changed


def width(model: Pipeline, features: Tensor, level: float = LEVEL) -> Tensor:
    found = model.half_width(features, level)
    assert found is not None
    return found.squeeze(-1)


@pytest.mark.parametrize(
    "fact", [{"memory_latency": 40.0}, {"memory_cache_kb": 0.0}, {"warm": 0.0}, {"bus_bytes": 8.0}]
)
def test_another_fact_widens_intervals_and_changes_no_prediction(fact: dict[str, float]) -> None:
    model, batch = made()
    features = batch["features"]
    there = elsewhere(model, features, **fact)
    assert torch.equal(model(there), model(features))
    assert (width(model, there) > WIDER * width(model, features)).all()
    # Of a batch that has both, rows of its own machine have their own intervals.
    half = len(features) // 2
    both = torch.cat([features[:half], there[half:]])
    assert torch.equal(width(model, both)[:half], width(model, features)[:half])


def test_a_stated_processor_leaves_its_costs_certain() -> None:
    model, batch = made()
    home = elsewhere(model, batch["features"], **STATED)
    model.settle(home)
    there = elsewhere(model, home, memory_latency=40.0)
    for level in (0.5, LEVEL):
        torch.testing.assert_close(width(model, there, level), WIDER * width(model, home, level))


def test_an_unknown_processor_counts_by_what_it_changes() -> None:
    """By predictions, without a correction, of a model whose processor takes more, or less."""
    model, batch = made()
    for weight in (model.correction.weight[-1], model.correction.bias[-1]):
        torch.nn.init.zeros_(weight)
    there = elsewhere(model, batch["features"], memory_latency=40.0)
    known = elsewhere(model, there, **STATED)
    changes = []
    for by in (PROCESSORS, -PROCESSORS):
        other = deepcopy(model)
        for logs in (other.log_issue, other.log_start):
            logs.data.add_(by)
        changes.append((other(there) - model(there)).abs().squeeze(-1))
    found = model.elsewhere(there)
    assert found is not None
    torch.testing.assert_close(found.processor, torch.maximum(*changes))
    assert found.processor.max() > 0.1
    certain = model.elsewhere(known)
    assert certain is not None
    assert not certain.processor.any()


def test_the_level_is_the_inverse_of_the_width_elsewhere() -> None:
    model, batch = made()
    there = elsewhere(model, batch["features"], warm=0.0)
    found = model.reaching_level(there, width(model, there, 0.8)[:, None])
    assert found is not None
    assert (found - 0.8).abs().max() < 0.01


@pytest.mark.parametrize("warm", [1.0, 0.0])
def test_intervals_hold_on_a_machine_that_was_measured(warm: float) -> None:
    """263 programs on the Gemmini that Verilator simulated; trained on FireSim's alone."""
    usual = gemmini()
    there = replace(usual, machine={**usual.machine, **MEASURED, "warm": warm})
    table = TableFile.packaged("gemmini_verilator", there).load()
    measured = feature_rows(table, feature_set("commands"), ["latency"])
    model = load_predictor(checkpoint_path("gemmini_rtl"), there)
    assert isinstance(model, Pipeline)
    errors = model(measured.features) - measured.targets.log()
    for level, least, most in ((0.8, 0.77, 0.92), (0.9, 0.87, 0.99)):
        reached = errors.abs().squeeze(-1) <= width(model, measured.features, level)
        assert least < float(reached.double().mean()) < most
    # Most of that is for programs unlike any of the training, whatever machine it says it is.
    assert model.unfamiliar(measured.features).median() > 1.5
    model.settle(measured.features)
    held = errors.abs().squeeze(-1) <= width(model, measured.features)
    assert 0.85 < float(held.double().mean()) < 0.97

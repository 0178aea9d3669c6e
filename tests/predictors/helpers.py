"""Small trained predictors of made schedules."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch

from tests.helpers_schedules import MadeSchedules
from tilegrad.datamodules import Examples, feature_rows
from tilegrad.predictors import PREDICTORS, TARGETS, Predictor, Schema
from tilegrad.predictors.closed_form import ClosedForm
from tilegrad.predictors.features import feature_set
from tilegrad.schedules import Schedules

SETTINGS: dict[str, dict[str, Any]] = {
    "linear": {},
    "forest": {"trees": 20, "depth": 6, "workers": 1},
    "mlp": {"hidden": [8, 4], "activation": "tanh"},
    "roofline": {"hidden": [8]},
    "reuse": {"terms": 3, "hidden": [8]},
    "residual": {"hidden": [8]},
    "pipeline": {"hidden": [4], "members": 3},
}
"""Small networks, by kind."""


@cache
def schedules() -> Schedules:
    """Return 120 made schedules."""
    return MadeSchedules().load()


@cache
def rows(features: str, targets: tuple[str, ...] = tuple(TARGETS)) -> Examples:
    """Return the features and targets of the made schedules."""
    return feature_rows(schedules(), feature_set(features), targets)


def untrained(kind: str, targets: tuple[str, ...] = tuple(TARGETS), **settings: Any) -> Predictor:
    """Return a small predictor of all targets on the features that suit it."""
    made = PREDICTORS[kind]
    schema = Schema.of(made.reads, schedules().accelerator, targets)
    torch.manual_seed(0)
    return made(schema, **{**SETTINGS[kind], **settings})


def trained(kind: str, targets: tuple[str, ...] = tuple(TARGETS), **settings: Any) -> Predictor:
    """Return a predictor that knows its scales, its weights fitted in closed form or shaken."""
    model = untrained(kind, targets, **settings)
    seen = rows(model.reads, targets)
    batch = seen[torch.arange(len(seen))]
    model.learn_scales(batch["features"], batch["log_targets"])
    model.learnt.fill_(True)
    if isinstance(model, ClosedForm):
        standardised = (batch["log_targets"] - model.target_mean) / model.target_scale
        model.fit_rows(batch["features"], standardised)
    else:
        with torch.no_grad():
            for weight in model.parameters():
                weight.add_(0.1 * torch.randn_like(weight))
    return model.eval().requires_grad_(False)


def save(model: Predictor, path: Path) -> dict[str, Any]:
    """Write a checkpoint as a trainer would; return what it holds."""
    content: dict[str, Any] = {"state_dict": model.state_dict()}
    model.on_save_checkpoint(content)
    torch.save(content, path)
    return content

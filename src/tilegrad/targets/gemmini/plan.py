"""Programs that are worth measuring on another Gemmini, before it is calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from tilegrad.accelerator import Accelerator
from tilegrad.datamodules import feature_rows
from tilegrad.errors import ConfigError
from tilegrad.machines.gemmini.generator import generator
from tilegrad.mapping import LoopNest
from tilegrad.predictors import Pipeline
from tilegrad.predictors.features import feature_set
from tilegrad.predictors.planning import most_telling
from tilegrad.schedules import Schedules, SimulatedSchedules
from tilegrad.targets.design import Design
from tilegrad.targets.gemmini.export import Exported, write_gemmini
from tilegrad.targets.gemmini.layers import not_calibrated, tiled
from tilegrad.workload import Problem, Workload

EACH = 64
"""Mappings of a layer to choose from."""


@dataclass(frozen=True)
class Plan:
    """How many programs of which layers to write, on which hardware; none longer than ``most``."""

    count: int
    workload: Workload
    hardware: Mapping[str, float]
    most: float = 1e6


def write_plan(predictor: Pipeline, plan: Plan, accelerator: Accelerator, out: Path) -> Exported:
    """Write the programs that say most about the machine under ``out``, the first to measure first.

    Random mappings that fit are chosen from: as ``tilegrad export`` would run them, and predicted
    to take ``plan.most`` cycles at most. The notes begin with the layers that are left out. Raises
    ``ConfigError`` where there are too few.
    """
    reasons = [(layer, not_calibrated(layer)) for layer in plan.workload.layers]
    problems = [layer for layer, reason in reasons if reason is None]
    left = tuple(f"{layer.name} is left out: {reason}" for layer, reason in reasons if reason)
    if not problems:
        raise ConfigError(
            f"--workload {plan.workload.name} has no layer to measure ({'; '.join(left)})"
        )
    layers = Workload(plan.workload.name, tuple(problems))
    found = SimulatedSchedules(accelerator, layers, 1, EACH, dict(plan.hardware)).load()
    features = feature_set(predictor.schema.features)
    rows = feature_rows(found, features, predictor.schema.targets)
    limits = [predictor.schema.columns.index(name) for name in features.limits]
    with torch.no_grad():
        short = predictor(rows.features)[:, 0] <= torch.tensor(plan.most).log()
    fitting = (rows.features[:, limits] <= 0).all(1)
    places = (short & fitting).nonzero().flatten()
    if len(places) < plan.count:
        raise ConfigError(
            f"--plan {plan.count}: of {len(rows)} mappings drawn, {len(places)} fit and take at "
            f"most {plan.most:g} cycles; legal: at most as many, more layers in --workload"
        )
    chosen = most_telling(predictor, rows.features[places], rows.layer[places], plan.count)
    programs = [_program(found, int(places[place]), problems) for place in chosen]
    built = generator(plan.hardware)
    runs = tuple((problem, tiled(problem, nest, built).nest) for problem, nest in programs)
    written = write_gemmini(Design(accelerator, plan.hardware, runs, layers.name), out)
    return replace(written, notes=(*left, *written.notes))


def _program(found: Schedules, row: int, problems: list[Problem]) -> tuple[Problem, LoopNest]:
    """Return the layer of a row and its mapping."""
    wanted = found.layer_names[int(found.layer[row])]
    problem = next(layer for layer in problems if layer.name == wanted)
    return problem, found.nests[row]

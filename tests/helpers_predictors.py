"""Trained-like predictors without a training: smooth rooflines with a random correction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests.helpers import gemmini, generator
from tilegrad.accelerator import Accelerator
from tilegrad.cost import infer_hardware, layer_cost
from tilegrad.cost.footprint import footprint
from tilegrad.mapping.sampling import Sampler
from tilegrad.nest import analyse
from tilegrad.predictors import PREDICTORS, Predictor, Schema
from tilegrad.predictors.features import feature_set
from tilegrad.predictors.latency import PredictedLatency
from tilegrad.workload import Workload

PE_DIM = 16


def training_rows(
    workload: Workload, schema: Schema, accelerator: Accelerator, rows: int = 64
) -> tuple[Tensor, Tensor]:
    """Return features ``[row, column]`` and log targets ``[row, target]`` of random schedules."""
    features, targets = [], []
    columns = feature_set(schema.features)
    sampler_mesh = dict.fromkeys(accelerator.parameters, float(PE_DIM))
    for index, layer in enumerate(workload.layers):
        nests = Sampler(accelerator, layer, sampler_mesh).draw(rows, generator(index))
        strides, bounds = workload.strides[index], workload.bounds[index]
        nest = analyse(nests, strides, accelerator)
        hardware = infer_hardware(accelerator, nest, {})
        context = columns.context(nests, bounds, strides, accelerator)
        found = columns.columns(footprint(nest, accelerator), context, accelerator, hardware)
        features.append(found.expand(rows, -1))
        cost = layer_cost(nest, accelerator, hardware)
        energy, latency = cost.energy_pj.expand(rows) * 1e-6, cost.cycles.expand(rows)
        of = {"latency": latency, "energy": energy, "edp": energy * latency}
        targets.append(torch.stack([of[name] for name in schema.targets], -1).log())
    return torch.cat(features).float(), torch.cat(targets).float()


def predictor(
    kind: str,
    workload: Workload,
    features: str = "analytical",
    targets: Sequence[str] = ("latency",),
    accelerator: Accelerator | None = None,
    **settings: Any,
) -> Predictor:
    """Return a predictor whose scales (and all else that has a closed form) fit random schedules.

    Weights that descent would train are random, the same ones each time.
    """
    accelerator = accelerator or gemmini()
    torch.manual_seed(0)
    made = PREDICTORS[kind](Schema.of(features, accelerator, targets), **settings)
    rows, log_targets = training_rows(workload, made.schema, accelerator)
    made.learn_scales(rows, log_targets)
    if hasattr(made, "fit_rows"):
        made.fit_rows(rows, (log_targets - made.target_mean) / made.target_scale)
    for parameter in made.parameters():
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator(1))
    return made.eval().requires_grad_(False)


def latency_by(made: Predictor, penalty: float = 4.0) -> PredictedLatency:
    """Return the latency model of a predictor, as a search has it from a checkpoint."""
    return PredictedLatency(made.to(torch.float64), penalty, "made.ckpt")


def save(made: Predictor, path: Path) -> Path:
    """Write a checkpoint with what Lightning would ask the predictor to put there."""
    content: dict[str, Any] = {"state_dict": made.state_dict()}
    made.on_save_checkpoint(content)
    torch.save(content, path)
    return path

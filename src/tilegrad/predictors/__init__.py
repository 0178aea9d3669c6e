"""Predictors of latency, energy and EDP: Lightning modules over one set of named features."""

from tilegrad.predictors.base import Batch, Predictor
from tilegrad.predictors.checkpoint import load_predictor
from tilegrad.predictors.forest import Forest
from tilegrad.predictors.linear import Linear
from tilegrad.predictors.losses import Loss
from tilegrad.predictors.metrics import METRICS, ranking_metrics
from tilegrad.predictors.mlp import Mlp
from tilegrad.predictors.pipeline import Pipeline
from tilegrad.predictors.registry import PREDICTORS
from tilegrad.predictors.residual import Residual
from tilegrad.predictors.reuse import Reuse
from tilegrad.predictors.roofline import Roofline
from tilegrad.predictors.schema import TARGETS, Schema

__all__ = [
    "METRICS",
    "PREDICTORS",
    "TARGETS",
    "Batch",
    "Forest",
    "Linear",
    "Loss",
    "Mlp",
    "Pipeline",
    "Predictor",
    "Residual",
    "Reuse",
    "Roofline",
    "Schema",
    "load_predictor",
    "ranking_metrics",
]

"""Predictors by the name that their checkpoints carry: packaged kinds, others by import path."""

from __future__ import annotations

import importlib
import io
import pickle
from typing import Any

import torch

from tilegrad.errors import ConfigError, unknown
from tilegrad.predictors.base import Predictor, checkpoint_kind
from tilegrad.predictors.forest import Forest
from tilegrad.predictors.linear import Linear
from tilegrad.predictors.mlp import Mlp
from tilegrad.predictors.pipeline import Pipeline
from tilegrad.predictors.residual import Residual
from tilegrad.predictors.reuse import Reuse
from tilegrad.predictors.roofline import Roofline

PREDICTORS: dict[str, type[Predictor]] = {
    each.kind: each for each in (Linear, Forest, Mlp, Roofline, Reuse, Residual, Pipeline)
}
"""The packaged predictors."""


def predictor_class(kind: str, where: str) -> type[Predictor]:
    """Return the predictor that a checkpoint names: a packaged kind, or ``module:Class``.

    Raises ``ConfigError``, begun by ``where``, for an unknown kind and for a class that cannot be
    imported or is no predictor.
    """
    if ":" not in kind:
        if kind not in PREDICTORS:
            raise ConfigError(unknown("predictor", kind, PREDICTORS, where))
        return PREDICTORS[kind]
    module, _, name = kind.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"{where} is of the predictor {kind}, which cannot be imported ({error}); "
            "put the folder of its module on PYTHONPATH"
        ) from error
    if not (isinstance(found, type) and issubclass(found, Predictor)):
        raise ConfigError(f"{where} is of {kind}, which is no subclass of Predictor")
    return found


def check_rebuilds(model: Predictor) -> None:
    """Refuse, before any training, a predictor that its own checkpoint could not be read back to.

    Raises ``ConfigError`` naming the class and what it lacks.
    """
    own = type(model)
    where = f"model._target_ is {own.__module__}.{own.__qualname__}, and its checkpoint"
    kind = checkpoint_kind(own)
    if own.__module__ == "__main__" or predictor_class(kind, where) is not own:
        raise ConfigError(f"{where} cannot find it; legal: a class at the top level of a module")
    try:
        content = io.BytesIO()
        torch.save(model.settings, content)
        content.seek(0)
        predictor_class(kind, where)(model.schema, **torch.load(content, weights_only=True))
    except (TypeError, pickle.PickleError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"{where} cannot rebuild it from its settings {model.settings!r} ({reason}); legal: "
            "plain values that its constructor takes beside the schema"
        ) from error

"""Checkpoints of predictors: read without unpickling, refused where they do not belong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

import tilegrad
from tilegrad.accelerator import Accelerator
from tilegrad.errors import ConfigError, nearest
from tilegrad.files import write_torch
from tilegrad.predictors.base import CHECKPOINT_KEY, FORMAT, Predictor
from tilegrad.predictors.registry import predictor_class
from tilegrad.predictors.schema import Schema
from tilegrad.pretrained import pretrained_names


def load_predictor(path: Path, accelerator: Accelerator) -> Predictor:
    """Return the trained predictor of a checkpoint, for use on ``accelerator``.

    Raises ``ConfigError`` naming the file where it cannot be read or is no predictor's, and both
    sides where it was made by another format or for another accelerator or its features.
    """
    content = read_checkpoint(path)
    made = content[CHECKPOINT_KEY]
    schema = Schema.read(made["schema"])
    _check_schema(path, schema, accelerator)
    predictor = predictor_class(made["kind"], f"ckpt={path}")(schema, **made["settings"])
    try:
        predictor.load_state_dict(content["state_dict"])
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ConfigError(f"ckpt={path} does not fit its own settings: {reason}") from error
    return predictor.eval().requires_grad_(False)


def save_predictor(predictor: Predictor, target: Path) -> None:
    """Write the predictor as it is now: its weights, and what it takes to rebuild it."""
    content: dict[str, Any] = {"state_dict": predictor.cpu().state_dict()}
    predictor.on_save_checkpoint(content)
    write_torch(target, content)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return the content of a predictor's checkpoint, its kind and format checked."""
    if not path.is_file():
        packaged = pretrained_names()
        close = nearest(path, packaged).partition("; ")[2]
        raise ConfigError(
            f"ckpt={path} {'is a directory' if path.is_dir() else 'does not exist'}; legal: a "
            f"checkpoint made by train.py, or the name of a packaged one ({', '.join(packaged)})"
            f"{close and '; '}{close}"
        )
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # Any bytes may be taken for a pickle's, which then fails anyhow.
        raise ConfigError(
            f"ckpt={path} cannot be read as a checkpoint (truncated, or none of train.py's)"
        ) from error
    made = content.get(CHECKPOINT_KEY) if isinstance(content, dict) else None
    if made is None:
        raise ConfigError(f"ckpt={path} is no predictor's checkpoint; legal: one of train.py's")
    if made["format"] != FORMAT:
        raise ConfigError(
            f"ckpt={path} has format {made['format']}, made by tilegrad {made['version']}; "
            f"this version {tilegrad.__version__} reads format {FORMAT}: train it again"
        )
    predictor_class(made["kind"], f"ckpt={path}")
    return content


def _check_schema(path: Path, schema: Schema, accelerator: Accelerator) -> None:
    here = Schema.of(schema.features, accelerator, schema.targets)
    if schema.accelerator != here.accelerator:
        raise ConfigError(
            f"ckpt={path} was trained for accelerator {schema.accelerator}, "
            f"this run is on {here.accelerator}; choose another of the two"
        )
    if schema.columns != here.columns:
        raise ConfigError(
            f"ckpt={path} reads {_difference(schema.columns, here.columns)} of "
            f"features={schema.features}; train it again"
        )
    if schema.digest != here.digest:
        raise ConfigError(
            f"ckpt={path} was trained for another description of {schema.accelerator} "
            f"({schema.digest}, here {here.digest}); use that description or train it again"
        )


def _difference(there: tuple[str, ...], here: tuple[str, ...]) -> str:
    gone = [name for name in there if name not in here]
    new = [name for name in here if name not in there]
    if not gone and not new:
        return "the columns in another order than this version"
    return f"columns that differ from this version's (only there: {gone}, only here: {new})"

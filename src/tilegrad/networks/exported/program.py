"""Exported programs: made of a module, or read from a ``.pt2`` file."""

from __future__ import annotations

import logging
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram

from tilegrad.errors import WorkloadError
from tilegrad.networks.exported.module import first_line

SUFFIX = ".pt2"


def load_program(path: Path) -> ExportedProgram:
    """Read what ``torch.export.save`` wrote; ``WorkloadError`` names a file that is no such."""
    if not path.is_file():
        raise WorkloadError(f"{path}: no such file (legal: a {SUFFIX} file of torch.export.save)")
    try:
        with _quiet():
            return torch.export.load(path)
    except Exception as error:
        raise WorkloadError(
            f"{path}: cannot be read as an exported program, perhaps truncated or of another "
            f"version of PyTorch: {type(error).__name__}: {first_line(error)}"
        ) from error


def export_program(
    module: nn.Module, inputs: tuple[Any, ...], named: Mapping[str, Any], name: str
) -> ExportedProgram:
    """Export a module for example inputs, in evaluation mode; no weight is computed with.

    Raises ``WorkloadError`` naming what cannot be followed, and the line of the module's code.
    """
    training = module.training
    module.eval()
    try:
        with _quiet():
            return torch.export.export(module, inputs, dict(named), strict=False)
    except Exception as error:
        raise WorkloadError(
            f"{name}: torch.export cannot follow it{_place(error)}: {_told(error)}; legal: "
            "inputs of the shapes that it takes, and control flow that does not depend on values"
        ) from error
    finally:
        module.train(training)


def _told(error: BaseException) -> str:
    text = first_line(error)
    return text if text.startswith(type(error).__name__) else f"{type(error).__name__}: {text}"


def _place(error: BaseException) -> str:
    """Return the last line of code outside PyTorch that the error came through."""
    own, root = "", str(Path(torch.__file__).parent)
    here = str(Path(__file__).parent)
    for frame in traceback.extract_tb(error.__traceback__):
        if not frame.filename.startswith((root, here, "<")):
            own = f" at {Path(frame.filename).name}, line {frame.lineno} ({frame.line})"
    return own


@contextmanager
def _quiet() -> Iterator[None]:
    """Let PyTorch say nothing beside what it raises."""
    loggers = [logging.getLogger(name) for name in ("torch", "torch.export", "torch._export")]
    before = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)

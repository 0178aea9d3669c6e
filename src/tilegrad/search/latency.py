"""The latency model that a config names: the nest's own, or a trained predictor's checkpoint."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hydra.utils import get_class
from omegaconf import OmegaConf

from tilegrad.accelerator import Accelerator
from tilegrad.checks import is_number
from tilegrad.cost.model import ROOFLINE, CostModel
from tilegrad.errors import ConfigError
from tilegrad.paths import config_directory
from tilegrad.search.state import Strategy


def latency_model(ckpt: object, penalty: object, accelerator: Accelerator) -> CostModel:
    """Return the model of ``ckpt`` (None: the nest's); ``ConfigError`` names what is wrong."""
    if not is_number(penalty) or penalty < 0:  # type: ignore[operator]
        raise ConfigError(f"ckpt_penalty is {penalty!r}; legal: a number >= 0")
    if ckpt is None:
        return ROOFLINE
    # Predictors bring Lightning with them, whose import takes seconds.
    from tilegrad.predictors.cost_model import predicted_latency

    return predicted_latency(Path(str(ckpt)), accelerator, float(penalty))  # type: ignore[arg-type]


def check_gradients(strategy: Strategy, model: CostModel, ckpt: object) -> None:
    """Refuse a strategy that needs gradients with a model that has none, naming those that fit."""
    if strategy.needs_gradient and not model.differentiable:
        raise ConfigError(
            f"strategy={strategy.name} needs the latency's gradient, which ckpt={ckpt} "
            f"({model.name}) does not have; legal: strategy={', '.join(_without_gradient())}, "
            "or a checkpoint of a differentiable predictor"
        )


def _without_gradient() -> list[str]:
    """Return the packaged strategies that need no gradient."""
    files = sorted((config_directory() / "strategy").glob("*.yaml"))
    return [file.stem for file in files if not _class_of(file).needs_gradient]


def _class_of(file: Path) -> type[Strategy]:
    return get_class(OmegaConf.load(file)._target_)


def latency_identity(ckpt: object, penalty: object) -> str:
    """Return what tells one latency model from another: the file's content, not its place."""
    if ckpt is None:
        return "nest"
    digest = hashlib.sha256(Path(str(ckpt)).read_bytes()).hexdigest()[:12]
    return f"{digest}, ckpt_penalty {penalty}"

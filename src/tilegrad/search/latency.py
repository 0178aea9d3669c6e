"""The latency model that a config names: the nest's own, or a trained predictor's checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hydra.utils import get_class
from omegaconf import OmegaConf

from tilegrad.accelerator import Accelerator
from tilegrad.checks import is_number, positive_number
from tilegrad.cost.latency import NEST_LATENCY, LatencyModel
from tilegrad.errors import ConfigError
from tilegrad.paths import config_directory
from tilegrad.pretrained import checkpoint_path
from tilegrad.search.padding import ALWAYS
from tilegrad.search.state import Strategy
from tilegrad.shape.conv import GROUPED
from tilegrad.workload import Workload


@dataclass(frozen=True)
class Learned:
    """The fields of a config that name a trained predictor as the latency's model.

    ``ckpt``: its checkpoint, a path or a packaged one's name, None for the nest's own latency;
    ``penalty``: log latency for each e-fold of hardware outside the training range; ``upper``: the
    level of the interval whose upper end is minimised, None for the prediction itself.
    """

    ckpt: object
    penalty: object
    upper: object

    def __post_init__(self) -> None:
        if not is_number(self.penalty) or self.penalty < 0:  # type: ignore[operator]
            raise ConfigError(f"ckpt_penalty is {self.penalty!r}; legal: a number >= 0")
        if self.upper is not None:
            positive_number("ckpt_upper", self.upper, below=1)
        if self.upper is not None and self.ckpt is None:
            raise ConfigError(f"ckpt_upper is {self.upper} without a ckpt; legal: null")


def latency_model(learned: Learned, accelerator: Accelerator) -> LatencyModel:
    """Return the model that a config names; ``ConfigError`` names what is wrong."""
    if learned.ckpt is None:
        return NEST_LATENCY
    # Predictors bring Lightning with them, whose import takes seconds.
    from tilegrad.predictors.latency import predicted_latency

    path, penalty = checkpoint_path(learned.ckpt), float(learned.penalty)  # type: ignore[arg-type]
    upper = None if learned.upper is None else float(learned.upper)  # type: ignore[arg-type]
    return predicted_latency(path, str(learned.ckpt), accelerator, penalty, upper)


def check_shapes(model: LatencyModel, workload: Workload, ckpt: object) -> None:
    """Refuse layers of a shape that a predictor never saw, naming the first."""
    if (learned := model.learned) is None:
        return
    for layer in workload:
        if not learned.knows(layer.shape):
            several = "" if learned.knows(GROUPED) else " of one group"
            raise ConfigError(
                f"layer {layer.name!r} is a {layer.shape.told}, and ckpt={ckpt} ({model.name}) "
                f"predicts convolutions{several}; legal: those (a matmul is one of ones), or "
                "ckpt=null"
            )


def check_padding(padding: str, model: LatencyModel, ckpt: object) -> None:
    """Refuse padded mappings for a predictor: it never saw one, and machines may run the rest."""
    if padding == ALWAYS and model.learned:
        raise ConfigError(
            f"padding is {padding!r}, and ckpt={ckpt} ({model.name}) predicts mappings whose "
            "factors divide their bounds; legal: padding=none (auto is that there), or ckpt=null"
        )


def check_gradients(strategy: Strategy, model: LatencyModel, ckpt: object) -> None:
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

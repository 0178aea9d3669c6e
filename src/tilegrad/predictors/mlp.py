"""A multilayer perceptron; 64-32-16-4 as in the poster."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from tilegrad.checks import flag, positive_int
from tilegrad.errors import ConfigError, unknown
from tilegrad.predictors.base import Predictor
from tilegrad.predictors.schema import Schema

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "silu": nn.SiLU, "tanh": nn.Tanh}


class Mlp(Predictor):
    """``hidden`` widths, from the features to the standardised log targets.

    ``clip``: a feature beyond its range in the training rows counts as the nearest end of it, so
    that what was learnt within is not drawn on far outside; trainings are the same with it.
    """

    kind = "mlp"

    def __init__(
        self,
        schema: Schema,
        hidden: Sequence[int] = (64, 32, 16, 4),
        activation: str = "relu",
        clip: bool = False,
        **training: Any,
    ) -> None:
        settings = {
            "hidden": checked_widths(hidden),
            "activation": activation,
            "clip": flag("model.clip", clip),
        }
        super().__init__(schema, settings, **training)
        self.network = perceptron(len(schema.columns), hidden, len(schema.targets), activation)

    def standardised(self, features: Tensor) -> Tensor:
        """Return standardised log targets ``[..., target]``."""
        if self.settings["clip"]:
            features = features.clamp(self.lowest, self.highest)
        return self.network(self.scaled(features))


def checked_widths(hidden: object) -> list[int]:
    """Return the widths of hidden layers; ``ConfigError`` where they are none."""
    if not isinstance(hidden, Sequence) or isinstance(hidden, str):
        raise ConfigError(f"model.hidden is {hidden!r}; legal: a list of integers from 1")
    return [positive_int(f"model.hidden[{place}]", width) for place, width in enumerate(hidden)]


def perceptron(inputs: int, hidden: Sequence[int], outputs: int, activation: str) -> nn.Sequential:
    """Return linear layers with activations between; ``ConfigError`` on an illegal setting."""
    if activation not in ACTIVATIONS:
        raise ConfigError(unknown("activation", activation, ACTIVATIONS, "model.activation"))
    widths = [inputs, *checked_widths(hidden)]
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))

"""Losses in log space: regression, and ranking of pairs of schedules of the same layer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import huber_loss, softplus

from tilegrad.checks import is_number, positive_int, positive_number
from tilegrad.errors import ConfigError


@dataclass(frozen=True)
class Loss:
    """``regression`` times Huber's loss plus ``ranking`` times the logistic loss over pairs.

    ``delta`` is where Huber's loss turns from squares to distances, in standard deviations of the
    log target; ``neighbours`` the number of partners that a schedule of a batch is compared with;
    ``margin``, in the same deviations, the lead at which a pair counts as ranked.
    """

    regression: float = 1.0
    ranking: float = 0.0
    delta: float = 0.3
    neighbours: int = 4
    margin: float = 0.05

    def __post_init__(self) -> None:
        for name in ("regression", "ranking"):
            value = getattr(self, name)
            if not is_number(value) or value < 0:
                raise ConfigError(f"model.loss.{name} is {value!r}; legal: a number from 0")
        if not self.regression and not self.ranking:
            raise ConfigError("model.loss: regression and ranking are both 0; legal: one above 0")
        positive_number("model.loss.delta", self.delta)
        positive_number("model.loss.margin", self.margin)
        positive_int("model.loss.neighbours", self.neighbours)

    def __call__(
        self, predicted: Tensor, target: Tensor, layer: Tensor, counts: Tensor | None = None
    ) -> Tensor:
        """Return the loss of standardised log targets ``[row, target]`` and layers ``[row]``.

        ``counts [row, target]`` is 0 for what is left out, the same for all rows of a layer.
        """
        loss = self.regression * self._regression(predicted, target, counts)
        if self.ranking:
            loss = loss + self.ranking * ranking_loss(
                predicted, target, layer, self.neighbours, self.margin, counts
            )
        return loss

    def _regression(self, predicted: Tensor, target: Tensor, counts: Tensor | None) -> Tensor:
        if counts is None:
            return huber_loss(predicted, target, delta=self.delta)
        losses = huber_loss(predicted, target, delta=self.delta, reduction="none")
        return (losses * counts).sum() / counts.sum().clamp(min=1)


def ranking_loss(
    predicted: Tensor,
    target: Tensor,
    layer: Tensor,
    neighbours: int,
    margin: float,
    counts: Tensor | None = None,
) -> Tensor:
    """Return the mean logistic loss of the pairs' order (RankNet, Burges et al. 2005).

    Every row is compared with its next ``neighbours`` rows of the same layer, ties left out;
    0 where a batch has no pair. ``counts`` as in ``Loss``.
    """
    by_layer = layer.argsort(stable=True)
    predicted, target, layer = predicted[by_layer], target[by_layer], layer[by_layer]
    counted = torch.ones_like(target) if counts is None else counts[by_layer]
    total = predicted.sum() * 0
    pairs = torch.zeros((), device=predicted.device)
    for step in range(1, min(neighbours, len(layer) - 1) + 1):
        slower = target[step:] - target[:-step]
        ranked = (layer[step:] == layer[:-step]).unsqueeze(-1) & (slower != 0)
        ranked = ranked & (counted[step:] > 0)
        lead = (predicted[step:] - predicted[:-step]) * slower.sign()
        total = total + (softplus(-lead / margin) * ranked).sum() * margin
        pairs = pairs + ranked.sum()
    return total / pairs.clamp(min=1)

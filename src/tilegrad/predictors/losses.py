"""Losses in log space: regression, and ranking of pairs of schedules of the same layer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import huber_loss, softplus


@dataclass(frozen=True)
class Loss:
    """``regression`` times Huber's loss plus ``ranking`` times the logistic loss over pairs.

    ``delta`` is where Huber's loss turns from squares to distances, in standard deviations of the
    log target; ``neighbours`` the number of partners that a schedule of a batch is compared with;
    ``margin`` the log distance over which a pair counts as ranked.
    """

    regression: float = 1.0
    ranking: float = 0.0
    delta: float = 0.3
    neighbours: int = 4
    margin: float = 0.05

    def __call__(self, predicted: Tensor, target: Tensor, layer: Tensor) -> Tensor:
        """Return the loss of standardised log targets ``[row, target]`` and layers ``[row]``."""
        loss = self.regression * huber_loss(predicted, target, delta=self.delta)
        if self.ranking:
            loss = loss + self.ranking * ranking_loss(
                predicted, target, layer, self.neighbours, self.margin
            )
        return loss


def ranking_loss(
    predicted: Tensor, target: Tensor, layer: Tensor, neighbours: int, margin: float
) -> Tensor:
    """Return the mean logistic loss of the pairs' order (RankNet, Burges et al. 2005).

    Every row is compared with its next ``neighbours`` rows of the same layer, ties left out;
    0 where a batch has no pair.
    """
    by_layer = layer.argsort(stable=True)
    predicted, target, layer = predicted[by_layer], target[by_layer], layer[by_layer]
    total = predicted.sum() * 0
    pairs = torch.zeros((), device=predicted.device)
    for step in range(1, min(neighbours, len(layer) - 1) + 1):
        slower = target[step:] - target[:-step]
        ranked = (layer[step:] == layer[:-step]).unsqueeze(-1) & (slower != 0)
        lead = (predicted[step:] - predicted[:-step]) * slower.sign()
        total = total + (softplus(-lead / margin) * ranked).sum() * margin
        pairs = pairs + ranked.sum()
    return total / pairs.clamp(min=1)

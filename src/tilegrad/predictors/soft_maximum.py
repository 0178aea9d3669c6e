"""Targets as smooth maxima of terms in log space: what a roofline is, and what a sum is too."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tilegrad.predictors.base import Predictor

PARTS = {"latency": ("cycles",), "energy": ("pj",), "edp": ("cycles", "pj")}
"""A target's log is the sum of its parts' logs: EDP is a latency times an energy."""

_ROWS_TO_SHIFT = 4096


class SoftMaximum(nn.Module):
    """``log(sum(exp(sharpness * term))) / sharpness`` of the last dimension.

    A sharpness of 1 adds, as energies do; a great one takes the maximum, as a roofline does. It is
    learned from a first value on.
    """

    def __init__(self, sharpness: float) -> None:
        super().__init__()
        self.log_sharpness = nn.Parameter(torch.tensor(sharpness).log())

    def forward(self, terms: Tensor) -> Tensor:
        """Return ``[...]`` of log terms ``[..., term]``."""
        sharpness = self.log_sharpness.exp()
        return (terms * sharpness).logsumexp(-1) / sharpness


def parts_of(targets: tuple[str, ...]) -> list[str]:
    """Return the distinct parts of the targets."""
    return list(dict.fromkeys(part for target in targets for part in PARTS[target]))


def join_parts(parts: dict[str, Tensor], targets: tuple[str, ...]) -> Tensor:
    """Return log targets ``[..., target]`` from their parts' logs ``[...]``."""
    joined = [torch.stack([parts[part] for part in PARTS[t]]).sum(0) for t in targets]
    return torch.stack(joined, -1)


def missing_parts(predictor: Predictor, features: Tensor, log_targets: Tensor) -> dict[str, float]:
    """Return how far each part of an untrained predictor lies too low on training rows.

    A target that is one part says it; otherwise the parts of a target share it.
    """
    rows = slice(None, None, max(1, len(features) // _ROWS_TO_SHIFT))
    with torch.no_grad():
        missing = (log_targets[rows] - predictor(features[rows])).mean(0)
    targets = predictor.schema.targets
    found: dict[str, float] = {}
    for target in sorted(targets, key=lambda name: len(PARTS[name])):
        for part in PARTS[target]:
            share = float(missing[targets.index(target)]) / len(PARTS[target])
            found.setdefault(part, share)
    return found

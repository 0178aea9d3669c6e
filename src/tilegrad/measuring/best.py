"""The best design among measured programs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.search.objective import Objective

_WEIGHTS = 129
_DECADES = 8.0


@dataclass(frozen=True)
class BestMeasured:
    """One of each layer's rows, and the network's ``energy`` [pJ], ``cycles`` and objective."""

    rows: tuple[int, ...]
    energy: float
    cycles: float
    value: float


def best_measured(
    layer: Tensor, energy: Tensor, cycles: Tensor, counts: Tensor, objective: Objective
) -> BestMeasured | None:
    """Return the best choice of a row for each layer; None where one has none.

    ``layer``, ``energy`` [pJ] and ``cycles [row]``; ``counts [layer]`` are executions. The best of
    those that minimise a weighted sum of both, at weights over all that may matter.
    """
    rows = [(layer == place).nonzero().flatten() for place in range(len(counts))]
    if not all(map(len, rows)):
        return None
    least = [
        sum(float(c * of[r].min()) for c, r in zip(counts, rows, strict=True))
        for of in (energy, cycles)
    ]
    share = torch.logspace(-_DECADES / 2, _DECADES / 2, _WEIGHTS, dtype=torch.float64)
    picked = torch.stack(
        [
            own[(share.unsqueeze(-1) * energy[own] / least[0] + cycles[own] / least[1]).argmin(-1)]
            for own in rows
        ],
        -1,
    )
    totals = [(of[picked] * counts).sum(-1) for of in (energy, cycles)]
    values = objective.value(totals[0], totals[1], torch.ones(()))
    at = int(values.argmin())
    return BestMeasured(
        tuple(picked[at].tolist()), float(totals[0][at]), float(totals[1][at]), float(values[at])
    )

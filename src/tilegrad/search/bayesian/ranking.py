"""The inner loop of DOSA's Bayesian baseline: random mappings ranked by a process of their layer's.

The published one (``dataset/dse/bo.py`` of github.com/ucb-bar/dosa) has a kernel of fixed length 1
over some eighty standardised columns, at which all mappings are strangers to each other; here the
length and the noise are those of the highest likelihood among a few, and costs are logarithms.
"""

from __future__ import annotations

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from tilegrad.mapping import LoopNest
from tilegrad.search.bayesian.process import gains, repeatable

LENGTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Length scales that are tried, as shares of the root of the number of columns that vary."""

NOISES = (1e-6, 1e-2, 1e-1)
"""Variances of noise that are tried, as shares of the values' own."""

SPREAD = 1.0
"""Standard deviations by which an uncertain mapping is ranked as better than expected."""


def columns(nests: LoopNest) -> Float64[Tensor, "row column"]:
    """Return what mappings ``[row, level, dim]`` look like to a process.

    Logarithms of all factors, and each loop's place in its level's order (the last one, where there
    is no loop).
    """
    temporal = nests.temporal
    place = nests.order.argsort(-1).double()
    place = torch.where(temporal > 1, place, float(temporal.shape[-1]))
    parts = [temporal.log(), nests.spatial.log(), place]
    return torch.cat([part.flatten(1) for part in parts], 1)


def ranked(
    seen: Float64[Tensor, "row column"],
    values: Float64[Tensor, " row"],
    candidates: Float64[Tensor, "candidate column"],
    count: int,
) -> Int64[Tensor, " count"]:
    """Return which ``count`` of the candidates are expected to cost the least, the best first.

    By the mean less the standard deviation of a process of the log ``values`` (> 0) at ``seen``.
    """
    with repeatable(0):
        varying = seen.std(0, unbiased=False) > 0
        centre = seen[:, varying].mean(0)
        scale = seen[:, varying].std(0, unbiased=False)
        known, asked = ((rows[:, varying] - centre) / scale for rows in (seen, candidates))
        found = -gains(values).squeeze(-1)
        apart = torch.cdist(known, known).square() / max(1, known.shape[1])
        length, noise = max(
            ((length, noise) for length in LENGTHS for noise in NOISES),
            key=lambda each: _likelihood(apart, found, *each),
        )
        root = _root(apart, length, noise)
        cross = _kernel(torch.cdist(asked, known).square() / max(1, known.shape[1]), length)
        solved = torch.cholesky_solve(found.unsqueeze(-1), root).squeeze(-1)
        left = torch.linalg.solve_triangular(root, cross.T, upper=False)
        spread = (1 - left.square().sum(0)).clamp(min=0).sqrt()
        return (cross @ solved - SPREAD * spread).argsort(stable=True)[:count]


def _kernel(apart: Tensor, length: float) -> Tensor:
    return (-apart / (2 * length**2)).exp()


def _root(apart: Tensor, length: float, noise: float) -> Tensor:
    whole = _kernel(apart, length) + noise * torch.eye(len(apart), dtype=apart.dtype)
    root: Tensor = torch.linalg.cholesky(whole)
    return root


def _likelihood(apart: Tensor, found: Tensor, length: float, noise: float) -> float:
    """Return the log likelihood of values ``[row]``, but for a constant; none: minus infinity."""
    whole = _kernel(apart, length) + noise * torch.eye(len(apart), dtype=apart.dtype)
    root, failed = torch.linalg.cholesky_ex(whole)
    if int(failed):
        return -torch.inf
    solved = torch.linalg.solve_triangular(root, found.unsqueeze(-1), upper=False)
    return float(-0.5 * solved.square().sum() - root.diagonal().log().sum())

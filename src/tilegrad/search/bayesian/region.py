"""A trust region around the best point, as TuRBO moves it (Eriksson et al., NeurIPS 2019)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float64
from torch import Tensor

from tilegrad.search.bayesian.process import fitted, repeatable

LENGTH, SHORTEST, LONGEST = 0.8, 0.5**7, 1.6
"""Sides of the region as it begins, at which it ends, and at most."""

SUCCESSES = 3
"""Batches in a row that improve, after which it doubles."""

GAIN = 1e-3
"""Share of the objective by which a batch must improve."""

CANDIDATES = 1000
"""Points in the region that the process is drawn at."""

CHANGED = 20.0
"""Numbers of the best point that a candidate changes, about, where there are more."""


@dataclass(frozen=True)
class Region:
    """The region's side and how often in a row a batch improved on its best, or failed to."""

    length: float = LENGTH
    successes: int = 0
    failures: int = 0

    def after(self, improved: bool, patience: int) -> Region:
        """Return the region after a batch; it halves after ``patience`` failures in a row."""
        successes, failures = (self.successes + 1, 0) if improved else (0, self.failures + 1)
        if successes == SUCCESSES:
            return Region(min(2 * self.length, LONGEST))
        if failures >= patience:
            return Region(self.length / 2)
        return replace(self, successes=successes, failures=failures)

    @property
    def over(self) -> bool:
        """Whether it has become too small to hold anything new."""
        return self.length < SHORTEST


def drawn_best(
    region: Region,
    points: Float64[Tensor, "point dim"],
    found: Float64[Tensor, "point 1"],
    count: int,
    seed: int,
) -> Float64[Tensor, "count dim"]:
    """Return a batch of points of the region: the best of as many draws of the process there.

    ``found`` are ``gains``, to be maximised, at ``points`` within 0..1; the region lies around the
    best of them, its sides in proportion to length scales.
    """
    from botorch.generation.sampling import MaxPosteriorSampling

    with repeatable(seed):
        model = fitted(points, found)
        kernel = getattr(model.covar_module, "base_kernel", model.covar_module)
        scales = kernel.lengthscale.detach().flatten()
        sides = region.length * scales / scales.log().mean().exp()
        best = points[int(found.argmax())]
        candidates = _candidates(best, sides, min(1.0, CHANGED / len(best)))
        sampler = MaxPosteriorSampling(model, replacement=False)
        with torch.no_grad():
            batch: Tensor = sampler(candidates, num_samples=count)
    return batch


def _candidates(best: Tensor, sides: Tensor, share: float) -> Tensor:
    """Return random points of a box around ``best [dim]``, some dims moved; one dim at least."""
    low, high = (best - sides / 2).clamp(0, 1), (best + sides / 2).clamp(0, 1)
    inside = low + (high - low) * torch.rand(CANDIDATES, len(best), dtype=best.dtype)
    moved = torch.rand(CANDIDATES, len(best)) <= share
    moved[torch.arange(CANDIDATES), torch.randint(len(best), (CANDIDATES,))] = True
    return torch.where(moved, inside, best)

"""Gaussian processes of log objectives; of the same data and seed the same on every run.

BoTorch (Balandat et al., NeurIPS 2020) is imported where it is needed: other searches begin
without it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float64
from torch import Tensor

from tilegrad.extras import required

if TYPE_CHECKING:
    from botorch.models import SingleTaskGP

EXTRA = "bayesian"

RESTARTS, RAW = 4, 128
"""Places where the acquisition's best is sought from, and points they are chosen among."""

SAMPLES = 128
"""Draws that estimate what a batch gains."""

ITERATIONS = 50
"""Steps of a process's fit, which hardly changes after them."""

BEHIND = 1.0
"""E-folds by which what is not feasible counts worse than the worst that is."""


def check_installed(field: str) -> None:
    """Raise ``ConfigError`` with the command that installs BoTorch where it is missing."""
    required("botorch", EXTRA, field)


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Run by one thread and a generator of its own, without BoTorch's advice."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def gains(
    values: Float64[Tensor, " point"], excesses: Float64[Tensor, " point"] | None = None
) -> Float64[Tensor, "point 1"]:
    """Return what is maximised: minus the log objectives, without scale; finite throughout.

    What is not feasible lies below all that is, by its ``excesses`` in e-folds (None: all alike).
    """
    logs = -values.log()
    finite = logs[logs.isfinite()]
    worst = finite.min() - BEHIND if len(finite) else logs.new_zeros(())
    behind = worst if excesses is None else worst - excesses
    logs = logs.where(logs.isfinite(), behind)
    spread = logs.std() if len(logs) > 1 else logs.new_zeros(())
    return ((logs - logs.mean()) / spread.clamp(min=1e-9)).unsqueeze(-1)


def fitted(points: Float64[Tensor, "point dim"], found: Tensor) -> SingleTaskGP:
    """Return a process fitted to ``found [point, 1]`` at ``points`` within 0..1."""
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from gpytorch.mlls import ExactMarginalLogLikelihood

    model = SingleTaskGP(points, found)
    options: dict[str, Any] = {"options": {"maxiter": ITERATIONS}}
    likelihood = ExactMarginalLogLikelihood(model.likelihood, model)
    fit_gpytorch_mll(likelihood, optimizer_kwargs=options)
    return model


def most_promising(
    points: Float64[Tensor, "point dim"], values: Tensor, count: int, seed: int
) -> Float64[Tensor, "count dim"]:
    """Return the batch of points within 0..1 of the highest expected improvement (qLogEI).

    ``values [point]`` are objectives to be minimised, infinite where nothing was feasible.
    """
    from botorch.acquisition.logei import qLogExpectedImprovement
    from botorch.optim.optimize import optimize_acqf
    from botorch.sampling.normal import SobolQMCNormalSampler

    with repeatable(seed):
        found = gains(values)
        sampler = SobolQMCNormalSampler(torch.Size([SAMPLES]), seed=seed % 2**31)
        gain = qLogExpectedImprovement(fitted(points, found), float(found.max()), sampler)
        ends = torch.stack([torch.zeros_like(points[0]), torch.ones_like(points[0])])
        options: dict[str, Any] = {"batch_limit": RESTARTS, "maxiter": 100}
        batch, _ = optimize_acqf(gain, ends, count, RESTARTS, RAW, options=options, sequential=True)
    return batch.detach()

"""One design of a front: a search of its own, which any process can run."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from omegaconf import DictConfig

from tilegrad.checks import flag
from tilegrad.commands.own_bests import with_own_bests
from tilegrad.commands.written import write_found
from tilegrad.errors import InfeasibleError
from tilegrad.fingerprint.claim import claimed
from tilegrad.mapping import LoopNest
from tilegrad.record import Result
from tilegrad.search import build_runner
from tilegrad.search.progress import live_progress


@dataclass(frozen=True)
class Job:
    """A search's whole config; ``told``: what progress calls its caps.

    ``known`` and ``near`` as in ``SearchProblem``.
    """

    config: DictConfig
    told: str
    known: LoopNest | None
    near: bool


@dataclass(frozen=True)
class Done:
    """What a search ended with: a ``design [layer]`` and its ``result``, or why there is none."""

    design: LoopNest | None = None
    result: Result | None = None
    infeasible: str = ""


def search_point(job: Job) -> Done:
    """Run the search, going on from what its directory holds; raise ``KeyboardInterrupt`` as it."""
    torch.set_num_threads(1)
    show = flag("progress", job.config.progress)
    try:
        runner = build_runner(job.config)
        beside = replace(runner.problem, known=job.known, near=job.near)
        runner = replace(runner, problem=beside)
        with claimed(runner.directory, runner.fingerprint, job.config):
            runner = with_own_bests(runner, job.config)
            with live_progress(f"{runner.strategy.name}, {job.told}", show) as observe:
                state, status = runner.run(observe)
            if state.best is not None:
                result = write_found(runner, state, status)
    except InfeasibleError as error:
        return Done(infeasible=str(error))
    if status == "interrupted":
        raise KeyboardInterrupt
    assert state.best is not None
    return Done(state.best, result)

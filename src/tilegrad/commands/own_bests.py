"""Before several networks are searched together: each of them by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, open_dict

from tilegrad.checks import flag
from tilegrad.commands.stopping import stop
from tilegrad.commands.written import write_found
from tilegrad.fingerprint.claim import claimed
from tilegrad.search import Runner, SearchState, build_runner, design_record
from tilegrad.search.budget import Budget
from tilegrad.search.checkpoint import FILE, load_checkpoint
from tilegrad.search.own import PARTS, OwnBest
from tilegrad.search.progress import live_progress
from tilegrad.spread import Here, Spread, with_workers

OWN = "own"
"""The directory, in that of the search, of the networks' own searches."""

OWN_SHARE = 0.5
"""Share of a budget that goes to the networks' own searches, all together."""


def with_own_bests(runner: Runner, config: DictConfig) -> Runner:
    """Return the runner with what each of several networks has on hardware of its own.

    By the same settings, each a search with files of its own. Once the shared search has begun
    they are taken as they are. Raises ``KeyboardInterrupt`` where one is interrupted.
    """
    networks = runner.problem.workload.networks
    if networks is None:
        return runner
    spread: Spread = instantiate(config.get("spread")) or Here()
    budget = _part(runner.budget, OWN_SHARE / len(networks.members))
    owns = tuple(spread.map(search_own, _jobs(runner, config, budget, spread)))
    spent = sum(own.seconds for own in owns)
    seconds = runner.budget.seconds
    left = seconds if seconds is None else max(seconds - spent, seconds * (1 - OWN_SHARE))
    return replace(
        runner,
        problem=replace(runner.problem, own=owns),
        budget=replace(_part(runner.budget, 1 - OWN_SHARE), seconds=left),
    )


def _part(budget: Budget, share: float) -> Budget:
    samples = None if budget.samples is None else max(1, int(budget.samples * share))
    seconds = None if budget.seconds is None else budget.seconds * share
    return replace(budget, samples=samples, seconds=seconds)


@dataclass(frozen=True)
class Job:
    """A network's own search; ``begun``: the shared one has begun, and takes what is there."""

    config: DictConfig
    budget: Budget
    begun: bool


def _jobs(shared: Runner, config: DictConfig, budget: Budget, spread: Spread) -> list[Job]:
    networks = shared.problem.workload.networks
    assert networks is not None
    begun = (shared.directory / FILE).exists()
    jobs = []
    for member in networks.members:
        own = config.copy()
        with open_dict(own):
            own.workload = config.workload.networks[member.name]
            own.dir = str(shared.directory / OWN / member.name)
            own.report, own.target, own.spread = False, None, None
            with_workers(own, spread)
        jobs.append(Job(own, replace(budget, reserve=0.0), begun))
    return jobs


def search_own(job: Job) -> OwnBest:
    """Search a network's own best, or take what its directory holds."""
    torch.set_num_threads(1)
    config, show = job.config, flag("progress", job.config.progress)
    runner = replace(build_runner(config), budget=job.budget)
    with claimed(runner.directory, runner.fingerprint, config):
        digest = runner.fingerprint.digest
        saved = load_checkpoint(runner.directory, digest) if job.begun else None
        if saved is not None and saved.best is not None:
            return _found(runner, saved, "complete" if saved.done else "budget")
        name = f"{runner.strategy.name}, {runner.problem.workload.name} alone"
        with live_progress(name, show) as observe:
            state, status = runner.run(observe)
        if state.best is not None:
            write_found(runner, state, status)
    if status == "interrupted":
        stop(runner.directory.parents[1])
    return _found(runner, state, status)


def _found(runner: Runner, state: SearchState, status: str) -> OwnBest:
    assert state.best is not None
    found = {**design_record(state.best, runner.problem), "status": status}
    proven = {} if state.gap is None else {"gap": state.gap}
    record = {**{name: found[name] for name in PARTS}, **proven}
    return OwnBest(state.value, state.best, found["hardware"], record, state.seconds)

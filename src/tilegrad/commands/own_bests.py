"""Before several networks are searched together: each of them by itself."""

from __future__ import annotations

from dataclasses import replace

from omegaconf import DictConfig, open_dict
from rich.console import Console

from tilegrad.commands.written import write_found
from tilegrad.fingerprint.claim import claimed
from tilegrad.search import Runner, SearchState, build_runner, design_record
from tilegrad.search.budget import Budget
from tilegrad.search.checkpoint import FILE, load_checkpoint
from tilegrad.search.own import PARTS, OwnBest
from tilegrad.search.progress import live_progress

OWN = "own"
"""The directory, in that of the search, of the networks' own searches."""

OWN_SHARE = 0.5
"""Share of a budget that goes to the networks' own searches, all together."""


def with_own_bests(runner: Runner, config: DictConfig, show: bool) -> Runner:
    """Return the runner with what each of several networks has on hardware of its own.

    By the same settings, each a search with files of its own. Once the shared search has begun
    they are taken as they are. Raises ``KeyboardInterrupt`` where one is interrupted.
    """
    networks = runner.problem.workload.networks
    if networks is None:
        return runner
    begun = (runner.directory / FILE).exists()
    budget = _part(runner.budget, OWN_SHARE / len(networks.members))
    owns = tuple(
        _own(_runner(runner, config, each.name, budget), begun, show) for each in networks.members
    )
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


def _runner(
    shared: Runner, config: DictConfig, name: str, budget: Budget
) -> tuple[Runner, DictConfig]:
    own = config.copy()
    with open_dict(own):
        own.workload = config.workload.networks[name]
        own.dir = str(shared.directory / OWN / name)
        own.report, own.target = False, None
    return replace(build_runner(own), budget=replace(budget, reserve=0.0)), own


def _own(run: tuple[Runner, DictConfig], begun: bool, show: bool) -> OwnBest:
    runner, config = run
    with claimed(runner.directory, runner.fingerprint, config):
        saved = load_checkpoint(runner.directory, runner.fingerprint.digest) if begun else None
        if saved is not None and saved.best is not None:
            return _found(runner, saved, "complete" if saved.done else "budget")
        name = f"{runner.strategy.name}, {runner.problem.workload.name} alone"
        with live_progress(name, show) as observe:
            state, status = runner.run(observe)
        if state.best is not None:
            write_found(runner, state, status)
    if status == "interrupted":
        Console(stderr=True).print("interrupted; to go on: the same command, with its dir=")
        raise KeyboardInterrupt
    return _found(runner, state, status)


def _found(runner: Runner, state: SearchState, status: str) -> OwnBest:
    assert state.best is not None
    found = {**design_record(state.best, runner.problem), "status": status}
    proven = {} if state.gap is None else {"gap": state.gap}
    record = {**{name: found[name] for name in PARTS}, **proven}
    return OwnBest(state.value, state.best, found["hardware"], record, state.seconds)

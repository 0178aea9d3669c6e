"""Co-search of an accelerator's hardware and a network's mappings: ``tilegrad search --help``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import Console

from tilegrad.checks import choice, flag, positive_int
from tilegrad.commands.stopping import stop
from tilegrad.commands.written import write_result
from tilegrad.errors import ConfigError
from tilegrad.files import write_json
from tilegrad.fingerprint.claim import claimed
from tilegrad.report.effort import finishing_seconds
from tilegrad.search import (
    Runner,
    SearchProblem,
    SearchState,
    Surroundings,
    build_runner,
)
from tilegrad.search.progress import live_progress
from tilegrad.tracking.ending import tracked

if TYPE_CHECKING:
    from tilegrad.record import Result
    from tilegrad.search.state import Observer
    from tilegrad.targets.protocol import Target
    from tilegrad.tracking.searches import Tracker

METRICS = ("edp", "energy_uj", "cycles", "area_mm2", "samples", "seconds")
"""Fields of result.json that a sweep may optimise."""


def search(config: DictConfig) -> Result:
    """Run the search that ``conf/search.yaml`` describes and return what result.json holds.

    Nothing is written before the whole config was found legal. Raises ``TilegradError`` subclasses
    on bad input and ``KeyboardInterrupt`` after what an interrupted run found was saved.
    """
    if positive_int("measure.rounds", config.measure.rounds, least=0):
        # Imported here: a search starts without what measuring needs.
        from tilegrad.commands.measure import search_measured

        return search_measured(config)
    return _search_once(config)


def _search_once(config: DictConfig) -> Result:
    # The strategies share the processors by threads of their own, over layers and starts.
    torch.set_num_threads(1)
    runner = build_runner(config)
    show = flag("progress", config.progress)
    report = flag("report", config.report)
    _check_spread(config, runner)
    runner = _reserving(runner, report)
    target: Target | None = instantiate(config.get("target"))
    if target is not None:
        target.check(runner.problem.accelerator)
    warn(runner.problem)
    with claimed(runner.directory, runner.fingerprint, config), tracked():
        runner = _after_own_bests(runner, config)
        tracker = _tracker(config, runner)
        with live_progress(runner.strategy.name, show) as observe:
            state, status = runner.run(_both(observe, tracker))
        result = write_result(runner, state, status) if state.best is not None else None
        said: list[str] = []
        if result is not None and report:
            if status != "interrupted":
                result = look_around(runner, state, result)
            _report(runner)
        if result is not None:
            # Imported here: a search starts without the exact strategy.
            from tilegrad.search.exact.certificate import write_certificate

            write_certificate(runner.directory, runner.problem, state)
            said, result = _compared(target, runner, result, report)
        if result is not None and tracker is not None:
            tracker.complete(result.as_json(), state)
    if result is not None and show:
        print_summary(result, runner.directory)
    for line in said:
        Console(stderr=True).print(line, soft_wrap=True, markup=False)
    if result is None or status == "interrupted":
        stop(runner.directory)
    return result


def _report(runner: Runner) -> None:
    # Imported here: a search starts without Matplotlib.
    from tilegrad.report import write_report

    write_report(runner.directory, runner.problem.accelerator, runner.problem.workload)


def _compared(
    target: Target | None, runner: Runner, result: Result, report: bool
) -> tuple[list[str], Result]:
    """Return what a target has to say, and the result with what it measured, if anything."""
    if target is None:
        return [], result
    from tilegrad.record import read_result

    lines = target.compare(runner.directory, runner.problem.accelerator)
    said = [f"{target.name}: {line}" for line in lines]
    found = read_result(runner.directory)
    if report and found != result:
        _report(runner)
    return said, found


def _after_own_bests(runner: Runner, config: DictConfig) -> Runner:
    """Return the runner, of several networks with what each has on hardware of its own."""
    if runner.problem.workload.networks is None:
        return runner
    # Imported where it is needed: it knows certificates and records.
    from tilegrad.commands.own_bests import with_own_bests

    return with_own_bests(runner, config)


def _check_spread(config: DictConfig, runner: Runner) -> None:
    if config.get("spread") and runner.problem.workload.networks is None:
        raise ConfigError(
            "spread is given, and this is one search; legal: null, or a front=[...], or several "
            "networks in workload=[...]"
        )


def _reserving(runner: Runner, report: bool) -> Runner:
    """Return the runner with a budget that leaves time to what follows the search."""
    reserve = finishing_seconds(len(runner.problem.workload.layers), report)
    return replace(runner, budget=replace(runner.budget, reserve=reserve))


def warn(problem: SearchProblem) -> None:
    """Say on stderr what to know before trusting what the search finds."""
    for warning in problem.warnings:
        Console(stderr=True).print(f"warning: {warning}", soft_wrap=True, markup=False)


def _tracker(config: DictConfig, runner: Runner) -> Tracker | None:
    """Return what tells the loggers; without any, a search starts without Lightning."""
    if not config.get("logger"):
        return None
    from tilegrad.tracking.searches import Tracker

    return Tracker.begin(config, runner.directory, runner.name)


def _both(observe: Observer, tracker: Tracker | None) -> Observer:
    """Return the observer, with the tracker beside it."""
    if tracker is None:
        return observe

    def observe_both(state: SearchState) -> None:
        observe(state)
        tracker.observe(state)

    return observe_both


def look_around(runner: Runner, state: SearchState, result: Result) -> Result:
    """Add what other designs cost to result.json, in what is left of a budget of seconds."""
    from tilegrad.record import RESULT, parse_result

    assert state.best is not None
    spare = runner.budget.begin(state.seconds)
    found = Surroundings(runner.problem, state.best, spare).record(state)
    place = runner.directory / RESULT
    result = parse_result({**result.as_json(), **found}, str(place))
    write_json(place, result.as_json())
    return result


def print_summary(found: Result, directory: Path) -> None:
    """Print the layers, the totals and where the files are."""
    from tilegrad.report import (
        layer_table,
        left_out_table,
        network_table,
        outside_table,
        summary_table,
    )

    console = Console()
    console.print(layer_table(found))
    console.print(summary_table(found))
    for table in (network_table(found), outside_table(found), left_out_table(found)):
        if table is not None:
            console.print(table)
    console.print(f"saved in {directory}", soft_wrap=True)


def main(config: DictConfig) -> Any:
    """Search, and return the figure that a sweep optimises: a front's is its hypervolume."""
    if config.get("front") is not None:
        return _front(config)
    metric = choice("optimized_metric", config.optimized_metric, METRICS)
    return getattr(search(config), metric)


def _front(config: DictConfig) -> float:
    """Search a front, or one for each value of ``over``; return the (largest) hypervolume."""
    # Imported here: a search starts without what fronts need.
    if config.get("over") is not None:
        from tilegrad.commands.fronts import print_fronts, search_fronts

        fronts, directory = search_fronts(config)
        print_fronts(fronts, directory)
        return max(fronts.hypervolumes())
    from tilegrad.commands.front import print_front, search_front

    front = search_front(config)
    print_front(front)
    return front.hypervolume()

"""Designs against each other, each searched on each network: ``tilegrad compare --help``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
import torch
from hydra.errors import HydraException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from tilegrad.checks import choice, flag, known_fields, positive_int
from tilegrad.commands.own_bests import with_own_bests
from tilegrad.commands.search import warn
from tilegrad.commands.stopping import stop
from tilegrad.commands.written import write_found
from tilegrad.complaints import describe
from tilegrad.entry import plain_overrides
from tilegrad.errors import ConfigError, InfeasibleError, TilegradError
from tilegrad.fingerprint.claim import claimed
from tilegrad.record import read_result
from tilegrad.report import (
    Comparison,
    Entry,
    Unfit,
    print_whole,
    read_history,
    terminal_table,
    write_comparison,
    write_curves,
)
from tilegrad.search import Runner, SearchState, build_runner
from tilegrad.search.checkpoint import load_checkpoint
from tilegrad.search.progress import live_progress
from tilegrad.spread import Here, Spread, with_workers

FIELDS = (
    *("designs", "reference", "workloads", "seeds", "shared", "overrides"),
    *("dir", "progress", "spread"),
)
Texts = Sequence[str]


def compare(config: DictConfig) -> Comparison:
    """Run every search of ``conf/compare.yaml`` that has not ended yet; write tables and plots.

    Needs Hydra to be initialised. Every configuration is checked before the first search begins.
    Searches that find no design that fits stand in the tables as such. Raises ``TilegradError``
    subclasses on bad input, ``InfeasibleError`` where the reference is without a design, and
    ``KeyboardInterrupt`` when interrupted.
    """
    known_fields("", config, FIELDS)
    designs, workloads, shared = _names(config)
    reference = choice("reference", config.reference, designs)
    show = flag("progress", config.progress)
    spread: Spread = instantiate(config.get("spread")) or Here()
    directory = Path(str(config.dir))
    seeds = _seeds(config.seeds)
    every: Sequence[int | None] = seeds or [None]
    runs = [
        (
            design,
            _run([f"workload={workload}", *designs[design], *shared], directory, design, seed),
        )
        for seed in every
        for workload in workloads
        for design in designs
    ]
    jobs = []
    for number, (design, run) in enumerate(runs, start=1):
        seed = f", seed {run.runner.seed}" if seeds else ""
        name = f"{design} on {run.runner.problem.workload.name}{seed}"
        with_workers(run.config, spread)
        jobs.append(Job(f"{number} of {len(runs)}: {name}", design, run.config, show, bool(seeds)))
    del runs
    comparison = Comparison(tuple(spread.map(searched, jobs)), reference)
    write_comparison(directory, comparison)
    if seeds:
        write_curves(directory, comparison)
    return comparison


@dataclass(frozen=True)
class _Run:
    """One search, checked and ready."""

    config: DictConfig
    runner: Runner


def _run(overrides: Texts, directory: Path, design: str, seed: int | None) -> _Run:
    """Compose and check the search of one design on one network; errors name the design.

    Of several seeds each has a directory of its own.
    """
    try:
        config = hydra.compose("search", plain_overrides(overrides))
        workload = str(instantiate(config.workload).name)
        config.dir = str(directory / design / workload)
        if seed is not None:
            config.seed, config.dir = seed, str(Path(config.dir) / str(seed))
        return _Run(config, build_runner(config))
    except (HydraException, TilegradError) as error:
        raise ConfigError(f"designs.{design}: {describe(error)}") from None


@dataclass(frozen=True)
class Job:
    """One search to run: what it is called, whether it is shown, and its history read."""

    title: str
    design: str
    config: DictConfig
    show: bool
    curve: bool


def searched(job: Job) -> Entry | Unfit:
    """Search, going on where an earlier command stopped; write and return the result.

    A search that ended without a design ends so at once when it goes on from its checkpoint.
    """
    Console(stderr=True, quiet=not job.show).print(job.title, highlight=False)
    torch.set_num_threads(1)
    runner = build_runner(job.config)
    warn(runner.problem)
    with claimed(runner.directory, runner.fingerprint, job.config):
        try:
            runner = with_own_bests(runner, job.config)
            with live_progress(runner.strategy.name, job.show) as observe:
                state, status = runner.run(observe)
        except InfeasibleError as error:
            return _unfit(job, runner, error)
        if state.best is not None:
            write_found(runner, state, status)
    if status == "interrupted":
        stop()
    history = read_history(runner.directory) if job.curve else None
    return Entry(job.design, read_result(runner.directory), history)


def _unfit(job: Job, runner: Runner, error: InfeasibleError) -> Unfit:
    """Say on stderr that a search found no design, and return what stands for it."""
    told = f"warning: {job.title.partition(': ')[2]}: {error}"
    Console(stderr=True).print(told, soft_wrap=True, markup=False, highlight=False)
    state = load_checkpoint(runner.directory, runner.fingerprint.digest) or SearchState()
    name = runner.problem.workload.name
    return Unfit(job.design, name, runner.seed, state.samples, state.seconds, str(error))


def _seeds(given: Any) -> list[int]:
    """Return the seeds to run every search with; none: each with its own."""
    if given is None:
        return []
    listed = OmegaConf.to_container(given) if OmegaConf.is_list(given) else given
    if not isinstance(listed, list) or not listed or len(set(map(str, listed))) < len(listed):
        raise ConfigError(f"seeds is {listed!r}; legal: a list of different numbers, or null")
    return [positive_int("seeds", seed, least=0) for seed in listed]


def _names(config: DictConfig) -> tuple[dict[str, Texts], Texts, Texts]:
    """Return designs with their overrides, workloads and the overrides of all, checked.

    Those that the command gives come after the ones that belong to the designs.
    """
    plain: Any = OmegaConf.to_container(config, resolve=True)
    designs = plain["designs"]
    if not isinstance(designs, Mapping) or not designs:
        raise ConfigError(f"designs is {designs!r}; legal: names, each with a list of overrides")
    for name in designs:
        if not str(name).isidentifier():
            raise ConfigError(f"designs.{name}: legal names: letters, digits and _")
    lists = {f"designs.{name}": listed for name, listed in designs.items()}
    lists |= {field: plain[field] for field in ("workloads", "shared", "overrides")}
    for field, listed in lists.items():
        if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
            raise ConfigError(f"{field} is {listed!r}; legal: a list of texts")
    if not plain["workloads"]:
        raise ConfigError("workloads is empty; legal: at least one name or layer table")
    return dict(designs), plain["workloads"], [*plain["shared"], *plain["overrides"]]


def main(config: DictConfig) -> None:
    """Compare, and print the table."""
    print_whole(Console(), terminal_table(compare(config)))
    Console().print(f"saved in {config.dir}", soft_wrap=True)

"""A Pareto front, wave by wave of searches, each beginning beside what the waves before found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import Console

from tilegrad.checks import choice, flag, positive_int
from tilegrad.commands.front_walk import Walk
from tilegrad.commands.search import warn
from tilegrad.errors import ConfigError
from tilegrad.fingerprint.claim import run_directory, stamped_directory
from tilegrad.front.baseline import BASELINES, Baseline, load, random_front, save
from tilegrad.front.figures import Figure, read_figures
from tilegrad.front.front import Front
from tilegrad.report import write_report
from tilegrad.report.front import front_table, notes, write_front
from tilegrad.report.terminal import print_whole
from tilegrad.search.progress import share_progress
from tilegrad.spread import Here, Spread


def search_front(config: DictConfig) -> Front:
    """Search the front that ``front`` of ``conf/search.yaml`` names; write its table and page.

    Everything is checked before the first search begins; the same command goes on with an
    interrupted front. Raises ``TilegradError`` subclasses and ``KeyboardInterrupt``.
    """
    return FrontSearch.of(config).run()


@dataclass(frozen=True)
class FrontSearch:
    """A front that is ready to be searched, everything about it checked."""

    config: DictConfig
    walk: Walk
    points: int
    baseline: str | None

    @classmethod
    def of(cls, config: DictConfig) -> FrontSearch:
        """Return the search of a config; ``TilegradError`` subclasses name what is wrong in it."""
        figures = read_figures(config.front)
        points = positive_int("points", config.points, least=2)
        baseline = (
            None if config.baseline is None else choice("baseline", config.baseline, BASELINES)
        )
        _check_free(config, figures)
        spread: Spread = instantiate(config.get("spread")) or Here()
        walk = Walk(config, figures, front_directory(config), spread)
        warn(walk.problem)
        return cls(config, walk, points, baseline)

    def run(self) -> Front:
        """Search the front, or go on with it; write its files."""
        torch.set_num_threads(1)
        front = self.walk.go(self.points)
        if self.baseline is not None:
            front = replace(front, baseline=self._random(front, self.baseline))
        if flag("report", self.config.report):
            for found in front.on:
                place, problem = front.directory / found.place, self.walk.problem
                write_report(place, problem.accelerator, problem.workload)
        write_front(front)
        return front

    def _random(self, front: Front, by: str) -> Baseline:
        """Return as many random designs' front, drawn only once."""
        most = sum(getattr(each.result, by) for each in front.found)
        found = load(front.directory, by, most)
        if found is None:
            with share_progress("random designs", self.config.progress) as observe:
                figures, seed = front.figures, self.config.seed
                found = random_front(self.walk.problem, figures, seed, by, most, observe)
            save(found, front.directory)
        return found


def print_front(front: Front) -> None:
    """Print the designs on the front."""
    console = Console()
    print_whole(console, front_table(front))
    for note in notes(front):
        console.print(note, soft_wrap=True, highlight=False)


def _check_free(config: DictConfig, figures: tuple[Figure, ...]) -> None:
    """Refuse an objective beside the front's, caps along it, and what only one search serves."""
    first = figures[0].name
    if config.objective not in ("edp", first):
        raise ConfigError(f"objective is {config.objective!r} beside front[0] = {first}")
    for field in ("target", "logger"):
        if config.get(field):
            raise ConfigError(
                f"{field} is given beside front, whose searches serve none; legal: null"
            )
    if config.measure.rounds:
        raise ConfigError(f"measure.rounds is {config.measure.rounds} beside front; legal there: 0")
    for figure in figures[1:]:
        if config.caps.get(figure.name) is not None:
            raise ConfigError(
                f"caps.{figure.name} is given beside a front along it; legal: null, as the front "
                "ends where a larger one is of no use"
            )


def front_directory(config: DictConfig) -> Path:
    """Return where a front's files go; ``ConfigError`` where nothing can be written there."""
    return run_directory(config, lambda: stamped_directory("front"))

"""A Pareto front, search by search, each beginning beside what the tighter caps before it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from os import getpid
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from omegaconf import DictConfig, open_dict
from rich.console import Console

from tilegrad.checks import flag, positive_int
from tilegrad.commands.own_bests import with_own_bests
from tilegrad.commands.search import warn
from tilegrad.commands.written import write_found
from tilegrad.errors import ConfigError, InfeasibleError
from tilegrad.fingerprint.claim import claimed
from tilegrad.search import Runner, SearchState, build_runner
from tilegrad.search.progress import live_progress

if TYPE_CHECKING:
    from tilegrad.front.figures import Figure
    from tilegrad.front.front import Found, Front
    from tilegrad.mapping import LoopNest

LOOSEST = "loosest"
"""The directory of the search without a cap."""

LARGE = 1e12
"""A cap that no design is held back by."""

POWERS = 16.0
"""Caps on power go down to this part of that of the best design without a cap."""


def search_front(config: DictConfig) -> Front:
    """Search the front that ``front`` of ``conf/search.yaml`` names; write its table and page.

    Everything is checked before the first search begins; the same command goes on with an
    interrupted front. Raises ``TilegradError`` subclasses and ``KeyboardInterrupt``.
    """
    from tilegrad.front.figures import read_figures
    from tilegrad.front.front import Front
    from tilegrad.front.walk import grid
    from tilegrad.report.front import write_front

    figures = read_figures(config.front)
    points = positive_int("points", config.points, least=2)
    _check_free(config, figures)
    torch.set_num_threads(1)
    directory = _directory(config)
    walk = _Walk(config, figures, directory)
    walk.check()
    walk.go(LOOSEST, {})
    ends = walk.ends()
    caps = grid(ends, points)
    for number, each in enumerate(caps[:-1], start=1):
        walk.go(f"{number:03d}", each)
    front = Front(figures, tuple(walk.found), tuple(walk.infeasible), directory)
    if flag("report", config.report):
        walk.report(front)
    write_front(front)
    return front


def print_front(front: Front) -> None:
    """Print the designs on the front."""
    from tilegrad.report.front import front_table, notes
    from tilegrad.report.terminal import print_whole

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


def _directory(config: DictConfig) -> Path:
    if config.dir is not None:
        return Path(str(config.dir))
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    return Path("outputs") / "front" / f"{stamp}-{getpid()}"


class _Walk:
    """The searches of one front, and what they found so far."""

    def __init__(self, config: DictConfig, figures: tuple[Figure, ...], directory: Path) -> None:
        self.config = config
        self.figures = figures
        self.directory = directory
        self.show = flag("progress", config.progress)
        self.found: list[Found] = []
        self.infeasible: list[tuple[Mapping[str, float], str]] = []
        self._states: list[tuple[Runner, SearchState]] = []

    def check(self) -> None:
        """Refuse what the searches under caps would refuse; tell the warnings of all."""
        runner, _ = self._runner("check", {figure.name: LARGE for figure in self.figures[1:]}, None)
        warn(runner)

    def go(self, place: str, caps: Mapping[str, float], objective: str | None = None) -> None:
        """Search under caps, beside the best of the designs found that keep to them.

        ``objective``: the front's first figure by default.
        """
        from tilegrad.front.front import Found

        runner, config = self._runner(place, caps, objective)
        told = ", ".join(f"{name} <= {cap:.4g}" for name, cap in caps.items()) or "no cap"
        try:
            with claimed(runner.directory, runner.fingerprint, config):
                runner = with_own_bests(runner, config, self.show)
                with live_progress(f"{runner.strategy.name}, {told}", self.show) as observe:
                    state, status = runner.run(observe)
                if state.best is not None:
                    result = write_found(runner, state, status)
        except InfeasibleError as error:
            self.infeasible.append((caps, str(error)))
            return
        if status == "interrupted":
            Console(stderr=True).print(
                f"interrupted; to go on: the same command, dir={self.directory}"
            )
            raise KeyboardInterrupt
        self._states.append((runner, state))
        self.found.append(Found(str(Path("points") / place), caps, result))

    def _runner(
        self, place: str, caps: Mapping[str, float], objective: str | None
    ) -> tuple[Runner, DictConfig]:
        own = self.config.copy()
        with open_dict(own):
            own.front, own.objective = None, objective or self.figures[0].name
            own.dir = str(self.directory / "points" / place)
            for name, cap in caps.items():
                own.caps[name] = cap
        runner = build_runner(own)
        return replace(runner, problem=replace(runner.problem, known=self._known(runner))), own

    def _known(self, runner: Runner) -> LoopNest | None:
        """Return the best design found so far within a runner's caps."""
        best, least = None, float("inf")
        for _, state in self._states:
            assert state.best is not None
            _, values = runner.problem.evaluate(state.best.alone())
            if float(values[0]) < least:
                best, least = state.best.alone(), float(values[0])
        return best

    def ends(self) -> dict[str, tuple[float, float]]:
        """Return the least and the most that each capped figure is of use at.

        The most: that of the best design without a cap; of three figures the largest of the
        designs that are best in one of them (the payoff table of the epsilon-constraint method,
        Mavrotas, AMC 213, 2009).
        """
        capped = self.figures[1:]
        least = {figure.name: self._least(figure) for figure in capped}
        if len(capped) > 1:
            for name in least:
                self.go(f"least-{name}", {name: least[name]})
        most = {f.name: max(f.of(each.result) for each in self.found) for f in capped}
        return {name: (min(low, most[name]), most[name]) for name, low in least.items()}

    def _least(self, figure: Figure) -> float:
        if figure.name == "area_mm2":
            runner, _ = self._states[0]
            cost, _ = runner.problem.evaluate(runner.problem.smallest())
            return float(cost.area_mm2.reshape(-1)[0])
        if figure.name == "latency_ms":
            self.go("fastest", {}, "latency")
            return figure.of(self.found[-1].result)
        return figure.of(self.found[0].result) / POWERS

    def report(self, front: Front) -> None:
        """Write the page of each design on the front."""
        from tilegrad.report import write_report

        places = {each.place for each in front.on}
        for found, (runner, _) in zip(self.found, self._states, strict=True):
            if found.place in places:
                write_report(runner.directory, runner.problem.accelerator, runner.problem.workload)

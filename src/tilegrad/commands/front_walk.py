"""The searches of one front: each wave beside what the waves before it found."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from math import inf, log
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig, open_dict

from tilegrad.commands.front_point import Done, Job, search_point
from tilegrad.commands.stopping import stop
from tilegrad.front.front import Found, Front
from tilegrad.front.walk import waves
from tilegrad.mapping import LoopNest, stack
from tilegrad.search import Runner, build_runner
from tilegrad.search.bound import AUTO, BEST
from tilegrad.search.problem import SearchProblem
from tilegrad.spread import Spread, with_workers

if TYPE_CHECKING:
    from tilegrad.front.figures import Figure

LOOSEST = "loosest"
"""The directory of the search without a cap."""

LARGE = 1e12
"""A cap that no design is held back by."""

POWERS = 16.0
"""Caps on power go down to this part of that of the best design without a cap."""

NEAR_FROM = 4
"""The first wave whose designs are near enough to those before it to begin from them alone."""

NEIGHBOURS = 3
"""Designs of the nearest caps that a search begins beside."""


class Walk:
    """The searches of one front, and what they found so far."""

    def __init__(
        self, config: DictConfig, figures: tuple[Figure, ...], directory: Path, spread: Spread
    ) -> None:
        self.config = config
        self.figures = figures
        self.directory = directory
        self.spread = spread
        self._found: list[tuple[Found, LoopNest]] = []
        self._infeasible: list[tuple[Mapping[str, float], str]] = []

    @property
    def problem(self) -> SearchProblem:
        """What is searched, under caps that hold nothing back; whatever caps refuse is refused."""
        return self._runner.problem

    @cached_property
    def _runner(self) -> Runner:
        caps = {figure.name: LARGE for figure in self.figures[1:]}
        return build_runner(self._config("check", caps, None))

    @cached_property
    def _bound(self) -> str:
        """What is proven of each design: by default all, and what the proof finds, in seconds."""
        asked = str(self.config.bound)
        if asked != AUTO or not getattr(self._runner.strategy, "takes_proofs", False):
            return asked
        # Imported here: where nothing is proven a front starts without the exact strategy.
        from tilegrad.search.exact.effort import takes_seconds

        return BEST if takes_seconds(self.problem) else asked

    def go(self, points: int) -> Front:
        """Search the whole front."""
        self._go(LOOSEST, {})
        numbered = 0
        for depth, wave in enumerate(waves(self._ends(), points)):
            places = [f"{numbered + place:03d}" for place in range(1, len(wave) + 1)]
            numbered += len(wave)
            self._search(dict(zip(places, wave, strict=True)), near=depth >= NEAR_FROM)
        found = tuple(found for found, _ in self._found)
        return Front(self.figures, found, tuple(self._infeasible), self.directory)

    def _go(self, place: str, caps: Mapping[str, float], objective: str | None = None) -> None:
        self._search({place: caps}, near=False, objective=objective)

    def _search(
        self, places: Mapping[str, Mapping[str, float]], near: bool, objective: str | None = None
    ) -> None:
        """Search under caps by place; ``objective``: the front's first figure by default."""
        jobs = [
            Job(
                self._config(place, caps, objective, self._bound),
                _told(caps),
                self._known(caps),
                near,
            )
            for place, caps in places.items()
        ]
        try:
            done = self.spread.map(search_point, jobs)
        except KeyboardInterrupt:
            stop(self.directory)
        for (place, caps), each in zip(places.items(), done, strict=True):
            self._take(place, caps, each)

    def _take(self, place: str, caps: Mapping[str, float], done: Done) -> None:
        if done.design is None or done.result is None:
            self._infeasible.append((caps, done.infeasible))
        else:
            found = Found(str(Path("points") / place), caps, done.result)
            self._found.append((found, done.design))

    def _config(
        self,
        place: str,
        caps: Mapping[str, float],
        objective: str | None,
        bound: str | None = None,
    ) -> DictConfig:
        own = self.config.copy()
        with open_dict(own):
            for field in ("front", "baseline", "over", "spread"):
                own[field] = None
            own.bound = bound or self.config.bound
            own.objective = objective or self.figures[0].name
            own.dir = str(self.directory / "points" / place)
            for name, cap in caps.items():
                own.caps[name] = cap
            with_workers(own, self.spread)
        return own

    def _known(self, caps: Mapping[str, float]) -> LoopNest | None:
        """Return the best design within caps and those of the nearest caps, ``[design, layer]``."""
        nearest = sorted(self._found, key=lambda each: self._far(each[0], caps))
        beside = [*self._best(caps), *nearest[:NEIGHBOURS]]
        designs = list({found.place: design for found, design in beside}.values())
        return stack(designs) if designs else None

    def _best(self, caps: Mapping[str, float]) -> list[tuple[Found, LoopNest]]:
        within = [
            each
            for each in self._found
            if all(self._figure(name).of(each[0].result) <= cap for name, cap in caps.items())
        ]
        return sorted(within, key=lambda each: self.figures[0].of(each[0].result))[:1]

    def _far(self, found: Found, caps: Mapping[str, float]) -> float:
        """Return by how much a design's figures differ from caps, in e-folds."""
        ratios = (cap / self._figure(name).of(found.result) for name, cap in caps.items())
        return max((abs(log(ratio)) for ratio in ratios), default=inf)

    def _figure(self, name: str) -> Figure:
        return next(figure for figure in self.figures if figure.name == name)

    def _ends(self) -> dict[str, tuple[float, float]]:
        """Return the least and the most that each capped figure is of use at.

        The most: that of the best design without a cap; of three figures the largest of the
        designs that are best in one of them (the payoff table of the epsilon-constraint method,
        Mavrotas, AMC 213, 2009).
        """
        capped = self.figures[1:]
        least = {figure.name: self._least(figure) for figure in capped}
        if len(capped) > 1:
            for name in least:
                self._go(f"least-{name}", {name: least[name]})
        most = {f.name: max(f.of(found.result) for found, _ in self._found) for f in capped}
        return {name: (min(low, most[name]), most[name]) for name, low in least.items()}

    def _least(self, figure: Figure) -> float:
        if figure.name == "area_mm2":
            problem = self.problem
            cost, _ = problem.evaluate(problem.smallest())
            return float(cost.area_mm2.reshape(-1)[0])
        if figure.name == "latency_ms":
            self._go("fastest", {}, "latency")
            return figure.of(self._found[-1][0].result)
        return figure.of(self._found[0][0].result) / POWERS


def _told(caps: Mapping[str, float]) -> str:
    return ", ".join(f"{name} <= {cap:.4g}" for name, cap in caps.items()) or "no cap"

"""The optimum over hardware and mappings of all layers, with its proof: branch and bound."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import inf
from typing import Any, ClassVar

from tilegrad.checks import positive_int, positive_number
from tilegrad.mapping import stack
from tilegrad.search.budget import Budget
from tilegrad.search.exact.box import Box
from tilegrad.search.exact.fixed import FixedRun
from tilegrad.search.exact.fixed_networks import FixedRuns
from tilegrad.search.exact.held import enumerated
from tilegrad.search.exact.mesh_choices import Ends, divided, mesh_choices
from tilegrad.search.exact.meshes import Meshes, layer_rows, mapping
from tilegrad.search.exact.prover import Found, Prover
from tilegrad.search.exact.rows import Rows
from tilegrad.search.exact.supported import by_layer, check_supported
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState

BOXES_PER_UNIT = 16

ROUNDED = 1e-9
"""What rounding makes of a gap that just suffices."""

KEPT = 6_000_000
"""Rows that are held, of several ranges of meshes: half a gigabyte."""


@dataclass(frozen=True)
class ExactStrategy:
    """Divides the hardware until no part can hold a better design than the best one, but for a gap.

    ``gap``: the share by which the best design may lie above the proven bound in the end.
    ``workers`` threads enumerate mappings; the result depends neither on them nor on the seed.
    """

    gap: float = 0.001
    workers: int | None = None
    name: str = field(default="exact", init=False)
    needs_gradient: ClassVar[bool] = False
    pads: ClassVar[bool] = False
    proves: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive_number("strategy.gap", self.gap)
        if self.workers is not None:
            positive_int("strategy.workers", self.workers)

    def check(self, problem: SearchProblem) -> None:
        """Refuse problems whose bounds would not hold, or that are too large to enumerate."""
        check_supported(problem)

    def advance(
        self,
        problem: SearchProblem,
        state: SearchState,
        budget: Budget,
        seed: int,  # noqa: ARG002
    ) -> Iterator[None]:
        """Divide and bound; see ``Strategy.advance``."""
        with ThreadPoolExecutor(self.workers or os.cpu_count() or 1) as threads:
            run: ExactRun | FixedRun | FixedRuns
            if by_layer(problem):
                workers = self.workers or os.cpu_count() or 1
                kind = FixedRun if problem.goal.rule is None else FixedRuns
                run = kind(self.gap, workers, problem, state, budget, threads)
            else:
                run = ExactRun(self, problem, state, budget, threads)
            while not state.done:
                run.step()
                state.warnings = short_of(state, self.gap)
                yield


class ExactRun:
    """One search: its units of work, each leading from one saved state to the next.

    ``private``: ``meshes``, ranges of meshes not looked into; ``boxes``, open boxes of the one that
    is (``inside``), all with their bounds; ``closed``, what is settled, with what shows its bound.
    """

    def __init__(
        self,
        strategy: ExactStrategy,
        problem: SearchProblem,
        state: SearchState,
        budget: Budget,
        threads: ThreadPoolExecutor,
    ) -> None:
        self.strategy = strategy
        self.problem = problem
        self.state = state
        self.budget = budget
        self.threads = threads
        self.choices = mesh_choices(problem)
        self._provers: dict[tuple[Any, ...], Prover] = {}

    @property
    def enough(self) -> float:
        """The bound that settles a part of the hardware."""
        return self.state.value / (1 + self.strategy.gap)

    def step(self) -> None:
        """Do one unit of work."""
        private = self.state.private
        if self.state.phase == "begin":
            self._begin()
        elif private["boxes"]:
            self._divide_boxes()
        elif private["meshes"]:
            self._divide_meshes()
        else:
            self.state.done = True
        self._note()

    def _begin(self) -> None:
        """The smallest mappings, legal if any are, are the first design."""
        self.state.offer(self.problem.smallest(), self.problem)
        self.state.count(len(self.problem.workload), len(self.problem.workload))
        every = {name: (sizes[0], sizes[-1]) for name, sizes in self.choices.items()}
        self.state.private = {
            "meshes": [{"ends": every, "bound": 0.0}],
            "inside": None,
            "boxes": [],
            "closed": [],
        }
        self.state.phase = "enumerate"

    def _divide_meshes(self) -> None:
        """Bound the parts of the most promising range of meshes, or open its boxes."""
        private = self.state.private
        first = min(private["meshes"], key=lambda each: each["bound"])
        left = [each for each in private["meshes"] if each is not first]
        if first["bound"] >= self.enough:
            private["closed"] = [*private["closed"], closed(first)]
        elif first["bound"] == 0.0:
            # Nothing is known of it yet: the first range of all.
            left += self._bounded(first["ends"])
        else:
            parts = divided(first["ends"], self.choices, self._by_halves)
            if len(parts) > 1:
                for part in parts:
                    left += self._bounded(part)
            else:
                box = self._prover(first["ends"]).box(first["ends"])
                private["inside"] = first["ends"]
                private["boxes"] = [{"ends": box.ends, "bound": first["bound"], "prices": []}]
                self.state.phase = "divide"
        private["meshes"] = left

    @property
    def _by_halves(self) -> bool:
        area_counts = self.problem.objective.area_power > 0
        return area_counts or self.problem.hardware.area_cap is not None

    def _bounded(self, ends: Ends) -> list[dict[str, Any]]:
        """Return a range of meshes with its bound, unless it holds no design."""
        prover = self._prover(ends)
        box = prover.box(ends)
        found = self._bound(prover, box, [])
        if found is None or found.bound == inf:
            self._offer_ends(prover, box)
            private = self.state.private
            private["closed"] = [*private["closed"], _empty(box, found)]
            return []
        sizes = {"box": box.ends, "shown": found.shown}
        return [{"ends": ends, "bound": found.bound, **sizes}]

    def _divide_boxes(self) -> None:
        """Divide the boxes with the least bounds."""
        private = self.state.private
        prover = self._prover(private["inside"])
        boxes = private["boxes"]
        settled = list(private["closed"])
        for _ in range(BOXES_PER_UNIT):
            if not boxes:
                break
            self.budget.check()
            first = min(boxes, key=lambda each: each["bound"])
            boxes = [each for each in boxes if each is not first]
            box = Box(first["ends"])
            found = self._bound(prover, box, first["prices"])
            if found is None or found.bound == inf:
                self._offer_ends(prover, box)
                settled.append(_empty(box, found))
            elif found.cut is None or found.bound >= self.enough:
                tried = {"prices": first["prices"], "tried": self.state.value}
                known = {"ends": box.ends, "bound": found.bound, "shown": found.shown}
                settled.append(known if found.bound >= self.enough else {**known, **tried})
            else:
                bound, prices = max(found.bound, first["bound"]), list(found.prices)
                for part in box.split(*found.cut):
                    boxes = [*boxes, {"ends": part.ends, "bound": bound, "prices": prices}]
        if not boxes:
            # A better design, known by now, leaves fewer choices to search there.
            boxes = [each for each in settled if self._is_open(each)]
            settled = [each for each in settled if not self._is_open(each)]
        private["boxes"], private["closed"] = boxes, settled
        self.state.phase = "divide" if boxes else "enumerate"

    def _is_open(self, cell: dict[str, Any]) -> bool:
        """Return whether the search of a settled box ended early, with a worse design known."""
        inside = self.state.private["inside"]
        there = all(cell["ends"][name] == ends for name, ends in inside.items())
        return there and cell["bound"] is not None and cell.get("tried", 0.0) > self.state.value

    def _bound(self, prover: Prover, box: Box, prices: list[float]) -> Found | None:
        """Bound a box; offer the design closest to the bound, and the best on its hardware."""
        found = prover.bound(box, self.enough, tuple(prices))
        if found is not None and found.value < self.state.value:
            before = self.state.value
            self._offer(prover, found)
            if self.state.value < before:
                there = prover.bound(found.point, 0.0, found.prices)
                if there is not None and there.value < self.state.value:
                    self._offer(prover, there)
        elif found is not None and found.bound < inf and self.problem.caps.any:
            # Its hardware costs more than the box's least, and may hold what keeps to the caps.
            there = prover.bound(found.point, 0.0, found.prices)
            if there is not None and there.value < self.state.value:
                self._offer(prover, there)
        return found

    def _offer(self, prover: Prover, found: Found) -> None:
        places = zip(prover.meshes.tables, found.rows.tolist(), strict=True)
        picked = [mapping(*each) for each in places]
        self.state.offer(stack(picked).alone(), self.problem)
        self.state.count(len(picked), len(picked))

    def _offer_ends(self, prover: Prover, box: Box) -> None:
        """Offer designs of least latency and power where caps leave none, for errors to tell."""
        for rows in prover.ends(box) if self.problem.caps.any and self.state.best is None else ():
            places = zip(prover.meshes.tables, rows.tolist(), strict=True)
            self.state.offer(stack([mapping(*each) for each in places]).alone(), self.problem)

    def _prover(self, ends: Ends) -> Prover:
        key = tuple(ends.items())
        if key not in self._provers:
            together = [ends]
            while len(parts := divided(together[-1], self.choices, self._by_halves)) > 1:
                # The part with the widest mesh: its mappings are the same.
                together.append(parts[-1])
            if self.problem.caps.pj_per_cycle < inf:
                # On a mesh alone also slower mappings with the same tiles are looked at.
                together = together[:1]
            self._enumerate(together)
        return self._provers[key]

    def _enumerate(self, together: list[Ends]) -> None:
        """Hold the rows of ranges of meshes whose widest is the same."""
        every = [Meshes.of(self.problem, ends) for ends in together]
        found = enumerated(every, self._layer, self.threads)
        for ends, meshes, rows in zip(together, every, found, strict=True):
            held = [key for key in self._provers if dict(key) not in together]
            while held and sum(len(p.rows) for p in self._provers.values()) + len(rows) > KEPT:
                del self._provers[held.pop(0)]
            self._provers[tuple(ends.items())] = Prover(meshes, rows)

    def _layer(self, every: Sequence[Meshes], layer: int) -> list[Rows]:
        self.budget.check()
        return layer_rows(every, layer)

    def _note(self) -> None:
        """Note the bound of all hardware, and how far the search is."""
        private, state = self.state.private, self.state
        parts = [*private["meshes"], *private["boxes"], *private["closed"]]
        proven = [each["bound"] for each in parts if each["bound"] is not None]
        if state.best is None and not proven:
            # In the end: every part is shown to hold no design.
            state.bound = inf if state.done else state.bound
            return
        bound = min([state.value, *proven])
        state.bound = max(state.bound, bound)
        if state.bound > 0:
            gap = state.value / state.bound - 1
            state.fraction = min(1.0, self.strategy.gap / max(gap, 1e-12))


def short_of(state: SearchState, asked: float) -> list[str]:
    """Return in words that a proof came to its end before the gap that was asked for, if so."""
    if not state.done or state.gap is None or state.gap <= asked + ROUNDED:
        return []
    return [
        f"the proof ended at a gap of {state.gap:.3%}, above strategy.gap={asked:g}: what is left "
        "is the rounding to whole blocks and cycles or what lies between the proof's lines "
        "(docs/proof.md)"
    ]


def closed(mesh: dict[str, Any]) -> dict[str, Any]:
    """Return a range of meshes as a box that is settled."""
    return {"ends": mesh["box"], "bound": mesh["bound"], "shown": mesh["shown"]}


def _empty(box: Box, found: Found | None) -> dict[str, Any]:
    """Return a box without any design, with what shows that (no mapping fits: nothing)."""
    return {"ends": box.ends, "bound": None, "shown": [] if found is None else found.shown}

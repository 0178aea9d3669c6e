"""``strategy=cosa``: every layer mapped once, by a mixed-integer program on given hardware."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import inf
from typing import ClassVar

import torch
from torch import Tensor

from tilegrad.checks import positive_int, positive_number
from tilegrad.errors import ConfigError
from tilegrad.search.budget import Budget
from tilegrad.search.cosa.mapper import CosaMapper, Effort
from tilegrad.search.cosa.output import without_output
from tilegrad.search.cosa.program import Weights
from tilegrad.search.gradient.chooser import Chooser
from tilegrad.search.gradient.polish import candidates
from tilegrad.search.gradient.pool import LayerPool
from tilegrad.search.gradient.rounding import picked
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState

LAYERS_PER_UNIT = 4

TOLERATED = 1e-4
"""Gap of a program, as a share, up to which it counts as solved."""


@dataclass(frozen=True)
class CosaStrategy:
    """Maps each layer by CoSA's program (Huang et al., ISCA 2021), solved by HiGHS.

    ``utilisation``, ``compute`` and ``traffic`` weigh the parts of its objective; ``shares``: what
    of a buffer that several tensors share the first of them gets. For each share and each weight of
    the utilisation a program is solved; ``nodes`` and ``seconds`` (None: no limit) end one early.
    Of the tiles so found, with every loop order, the best by the cost model are taken. ``workers``
    threads share the layers; the result does not depend on them.
    """

    utilisation: Sequence[float] = (0.1, 1.0)
    compute: float = 10.0
    traffic: float = 1.0
    shares: Sequence[float] = (0.25, 0.5, 0.75)
    nodes: int = 20_000
    seconds: float | None = None
    workers: int | None = None
    name: str = field(default="cosa", init=False)
    needs_gradient: ClassVar[bool] = False
    pads: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name in ("compute", "traffic"):
            positive_number(f"strategy.{name}", getattr(self, name))
        if not self.utilisation:
            raise ConfigError("strategy.utilisation is []; legal: positive numbers, as in [0.1]")
        for weight in self.utilisation:
            positive_number("strategy.utilisation", weight)
        positive_int("strategy.nodes", self.nodes)
        if self.seconds is not None:
            positive_number("strategy.seconds", self.seconds)
        if self.workers is not None:
            positive_int("strategy.workers", self.workers)
        if not self.shares or not all(0 < float(share) < 1 for share in self.shares):
            raise ConfigError(
                f"strategy.shares is {list(self.shares)!r}; legal: numbers between 0 and 1, as in "
                "[0.5]"
            )

    @property
    def mapper(self) -> CosaMapper:
        """What maps a layer."""
        weights = [Weights(each, self.compute, self.traffic) for each in self.utilisation]
        return CosaMapper(weights, tuple(self.shares), Effort(self.nodes, self.seconds))

    def check(self, problem: SearchProblem) -> None:
        """Refuse sizes that are left open."""
        space = problem.hardware
        if space.settled:
            return
        name = next(name for name in space.accelerator.parameters if name not in space.fixed)
        raise ConfigError(
            f"hardware.{name} is null, and strategy={self.name} maps for given sizes; legal: "
            "hardware=default, or numbers for all of them"
        )

    def advance(
        self,
        problem: SearchProblem,
        state: SearchState,
        budget: Budget,
        seed: int,  # noqa: ARG002
    ) -> Iterator[None]:
        """Map some layers at a time; see ``Strategy.advance``."""
        mapper, tables = self.mapper, problem.tables
        if not state.samples:
            state.offer(problem.smallest(), problem)
            state.count(len(tables), len(tables))
            state.private = {"pools": [], "gaps": []}

        def mapped(layer: int) -> tuple[LayerPool, float]:
            table = tables[layer]
            factors, gap = mapper.map(table, problem.hardware.fixed, budget)
            rows = torch.cat([factors, table.smallest()]).unique(dim=0)
            return candidates(table, rows, problem.model), gap

        with ThreadPoolExecutor(self.workers or os.cpu_count() or 1) as threads:
            while not state.done:
                private = state.private
                begun = len(private["pools"])
                layers = range(begun, min(begun + LAYERS_PER_UNIT, len(tables)))
                with without_output():
                    pools, gaps = zip(*threads.map(mapped, layers), strict=True)
                private = {
                    "pools": [*private["pools"], *(pool.pack() for pool in pools)],
                    "gaps": [*private["gaps"], *gaps],
                }
                if layers.stop == len(tables):
                    _offer(problem, state, private["pools"], budget)
                    state.warnings = _left(problem, private["gaps"])
                state.count(sum(map(len, pools)), len(tables))
                state.private = private
                state.phase, state.fraction = "map", layers.stop / len(tables)
                state.done = layers.stop == len(tables)
                yield


def _left(problem: SearchProblem, gaps: Sequence[float]) -> list[str]:
    """Return what to know of programs that were not solved to the end, if any."""
    names = [layer.name for layer in problem.workload.layers]
    left = [(gap, name) for gap, name in zip(gaps, names, strict=True) if gap > TOLERATED]
    if not left:
        return []
    gap, name = max(left)
    far = "gave no mapping" if gap == inf else f"is up to {gap:.1%} from its optimum"
    return [
        f"CoSA's program of {len(left)} of {len(names)} layers was cut off by strategy.nodes or "
        f"strategy.seconds: that of {name!r} {far}"
    ]


def _offer(
    problem: SearchProblem, state: SearchState, packed: Sequence[list[Tensor]], budget: Budget
) -> None:
    """Offer the best choice of tiles and loop orders."""
    pools = [LayerPool.unpack(tensors) for tensors in packed]
    chooser = Chooser(problem.hardware, problem.goal, problem.model, budget)
    design = chooser.at(pools, problem.hardware.fixed)
    if design is not None:
        state.offer(picked(problem.tables, pools, design), problem)

"""Uniformly random designs: the first baseline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from tilegrad.checks import positive_int
from tilegrad.mapping import stack
from tilegrad.mapping.sampling import Sampler
from tilegrad.search.budget import Budget
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState, generator

MAPPINGS_PER_UNIT = 20_000
"""Mappings of single layers drawn at once."""


@dataclass(frozen=True)
class RandomStrategy:
    """Draws ``designs`` designs: for each layer a uniformly random legal mapping."""

    designs: int = 10_000
    name: str = field(default="random", init=False)
    needs_gradient: ClassVar[bool] = False
    pads: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive_int("strategy.designs", self.designs)

    def check(self, problem: SearchProblem) -> None:
        """Any problem will do."""

    def advance(
        self, problem: SearchProblem, state: SearchState, budget: Budget, seed: int
    ) -> Iterator[None]:
        """Draw a batch of designs at a time; see ``Strategy.advance``."""
        layers = problem.workload.layers
        samplers = [
            Sampler(
                problem.accelerator.running(layer.shape), layer, problem.meshes[0], problem.padded
            )
            for layer in layers
        ]
        most = max(1, MAPPINGS_PER_UNIT // len(layers))
        while not state.done:
            begun = state.samples % most
            first = state.samples - begun
            whole = min(most, self.designs - first)
            ends = whole if budget.samples is None else min(whole, budget.samples - first)
            # Drawn whole, wherever a budget cuts it: a longer search goes on with the same designs.
            random = generator(seed, first)
            drawn = []
            for sampler in samplers:
                # The first designs are drawn whatever the time: no search ends without any.
                if state.samples:
                    budget.check()
                drawn.append(sampler.draw(whole, random))
            designs = stack(drawn).each(lambda tensor: tensor.movedim(0, 1))[begun:ends]
            state.offer(designs, problem)
            state.count((ends - begun) * len(layers), len(layers))
            state.phase = "draw"
            state.fraction = state.samples / self.designs
            state.done = state.samples >= self.designs
            yield

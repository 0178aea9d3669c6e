"""Uniformly random designs: the first baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from tilegrad.checks import positive_int
from tilegrad.mapping import LoopNest, stack
from tilegrad.mapping.sampling import Sampler
from tilegrad.search.budget import Budget
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState, generator

MAPPINGS_PER_UNIT = 20_000
"""Mappings of single layers drawn at once."""


def designs_per_unit(problem: SearchProblem) -> int:
    """Return how many designs are drawn at once."""
    return max(1, MAPPINGS_PER_UNIT // len(problem.workload.layers))


@dataclass(frozen=True)
class RandomDesigns:
    """Uniformly random legal mappings of each layer, the same for the same seed."""

    samplers: tuple[Sampler, ...]
    seed: int

    @classmethod
    def of(cls, problem: SearchProblem, seed: int) -> RandomDesigns:
        """Return a problem's random designs."""
        layers = problem.workload.layers
        shared = problem.meshes[0], problem.padded
        running = (problem.accelerator.running(layer.shape) for layer in layers)
        samplers = (Sampler(on, layer, *shared) for on, layer in zip(running, layers, strict=True))
        return cls(tuple(samplers), seed)

    def draw(self, first: int, count: int, check: Callable[[], None]) -> LoopNest:
        """Return designs ``[design, layer]`` from number ``first`` on; ``check`` may end it."""
        random = generator(self.seed, first)
        drawn = []
        for sampler in self.samplers:
            check()
            drawn.append(sampler.draw(count, random))
        return stack(drawn).each(lambda tensor: tensor.movedim(0, 1))


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
        random, most = RandomDesigns.of(problem, seed), designs_per_unit(problem)
        while not state.done:
            begun = state.samples % most
            first = state.samples - begun
            whole = min(most, self.designs - first)
            ends = whole if budget.samples is None else min(whole, budget.samples - first)
            # Drawn whole, wherever a budget cuts it: a longer search goes on with the same designs.
            # The first designs are drawn whatever the time: no search ends without any.
            drawn = random.draw(first, whole, budget.check if state.samples else lambda: None)
            state.offer(drawn[begun:ends], problem)
            state.count((ends - begun) * len(layers), len(layers))
            state.phase = "draw"
            state.fraction = state.samples / self.designs
            state.done = state.samples >= self.designs
            yield

"""How far searches end above the proven optimum of random networks: one line each, then the median.

Five layers of awkward bounds (primes, odd ones), strides, dilations and groups, on Gemmini;
``python benchmarks/random_networks.py``. The optimum is known to the exact strategy's gap.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from statistics import median
from time import process_time

from tilegrad.accelerator import load_accelerator
from tilegrad.search import (
    Budget,
    ExactStrategy,
    GradientStrategy,
    SearchProblem,
    SearchState,
    hardware_space,
    objective,
)
from tilegrad.shape.conv import CONV, GROUPED
from tilegrad.workload import Problem, Workload

LAYERS = 5

GAP = 1e-4

FILTERS = (1, 1, 2, 3, 3, 5, 7)

PIXELS = (1, 5, 7, 11, 13, 14, 17, 19, 27, 28, 31, 37, 55, 56, 63)

CHANNELS = (1, 3, 5, 10, 13, 17, 24, 32, 41, 49, 64, 77, 96, 101, 127, 160, 197)

GROUPS = (1, 1, 1, 2, 3, 7, 12)


def random_network(seed: int) -> Workload:
    """Return a network that is the same for a seed everywhere."""
    source = random.Random(seed)
    return Workload(f"random{seed}", tuple(_layer(place, source) for place in range(LAYERS)))


def _layer(place: int, source: random.Random) -> Problem:
    filters, pixels = source.choices(FILTERS, k=2), source.choices(PIXELS, k=2)
    channels, groups = source.choices(CHANNELS, k=2), source.choice(GROUPS)
    bounds = (*filters, *pixels, *channels, source.randint(1, 4))
    strides = (source.randint(1, 3), source.randint(1, 3), source.randint(1, 2), 1)
    shape = CONV if groups == 1 else GROUPED
    every = bounds if groups == 1 else (*bounds, groups)
    return Problem(f"layer{place}", every, strides, source.randint(1, 3), shape=shape)


def searched(
    problem: SearchProblem, strategy: ExactStrategy | GradientStrategy
) -> tuple[SearchState, float]:
    """Return the end of a search with seed 0, and its processor seconds."""
    start, state = process_time(), SearchState()
    strategy.check(problem)
    for _ in strategy.advance(problem, state, Budget().begin(), 0):
        pass
    return state, process_time() - start


def lines(seeds: Sequence[int]) -> Iterator[tuple[str, float, float]]:
    """Yield each network's name, the gradient search's distance from the optimum, and the gap."""
    space = hardware_space(load_accelerator("gemmini"), {}, {"pe_dim": 128})
    for seed in seeds:
        problem = SearchProblem(random_network(seed), space, objective("edp"))
        best, first = searched(problem, ExactStrategy(gap=GAP))
        found, second = searched(problem, GradientStrategy())
        apart = found.value / min(best.value, found.value) - 1
        gap = best.value / best.bound - 1
        name = problem.workload.name
        print(f"{name:12} {gap:10.4%} {apart:10.4%} {first:9.1f} {second:9.1f}", flush=True)
        yield name, apart, gap


def main() -> None:
    """Print a line for each seed, then the median and the worst."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 50), metavar=("FIRST", "END"))
    given = parser.parse_args()
    print(f"{'network':12} {'proven to':>10} {'gradient':>10} {'exact s':>9} {'grad. s':>9}")
    found = list(lines(range(*given.seeds)))
    worst = max(found, key=lambda each: each[1])
    print(f"gradient: median {median(each[1] for each in found):.4%} above, worst {worst[1]:.4%}")
    print(f"worst: {worst[0]}; largest gap of a proof {max(each[2] for each in found):.4%}")


if __name__ == "__main__":
    main()

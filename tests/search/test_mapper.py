"""The exact mapper against enumeration of whole mapspaces, and against the nest's own figures."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from tests.search.brute_force import every_mapping
from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.expression import constant
from tilegrad.accelerator.level import Level
from tilegrad.cost.capacity import fits
from tilegrad.cost.footprint import cycles, energy_pj, footprint
from tilegrad.mapping import LoopNest
from tilegrad.mapping.validity import find_violations
from tilegrad.nest import analyse
from tilegrad.paths import config_directory
from tilegrad.search.exact.mapper.mapper import LayerMapper
from tilegrad.workload import Problem

WIDTH = 2

STRIDES = ((1, 1, 1, 1), (2, 1, 1, 1), (1, 2, 2, 1), (3, 1, 1, 2))


def packaged(name: str) -> Accelerator:
    """Return a packaged accelerator."""
    described = OmegaConf.load(config_directory() / "accelerator" / f"{name}.yaml")
    made = instantiate(described.accelerator)
    assert isinstance(made, Accelerator)
    return made


def tight(accelerator: Accelerator, words: tuple[int, ...]) -> Accelerator:
    """Return an accelerator for tiny layers: narrow meshes, few words, few clusters, no blocks."""
    levels = []
    for level, room in zip(accelerator.levels, words, strict=True):
        fanout = {axis: replace(each, width=constant(WIDTH)) for axis, each in level.fanout.items()}
        sized = replace(level, fanout=fanout, block=constant(1), capacity_kb=None)
        held = room if level.capacity_words or level.capacity_kb else None
        levels.append(replace(_few(sized), capacity_words=held, buffers=1))
    return replace(accelerator, levels=tuple(levels), parameters={})


def _few(level: Level) -> Level:
    """Return a level with two clusters, where instances share accesses."""
    if level.cluster == 1:
        return replace(level, instances=constant(64))
    return replace(level, cluster=4, instances=constant(8))


def unpriced(accelerator: Accelerator) -> Accelerator:
    """Return an accelerator without ports on its inner levels."""
    inner = tuple(replace(level, bandwidth={}) for level in accelerator.levels[:-1])
    return replace(accelerator, levels=(*inner, accelerator.levels[-1]))


def layer(seed: int, most: int = 4) -> Problem:
    """Return a random layer of three loops, every other one with a sliding window."""
    source = torch.Generator().manual_seed(seed)
    bounds = torch.ones(7, dtype=torch.int64)
    dims = torch.randperm(7, generator=source)[:3]
    if seed % 2:
        # R and P, or S and Q, and another one.
        dims = torch.tensor([seed // 2 % 2, 2 + seed // 2 % 2, 4 + seed % 3])
    bounds[dims] = torch.randint(2, most + 1, (len(dims),), generator=source)
    return Problem(f"layer{seed}", tuple(bounds.tolist()), STRIDES[seed % len(STRIDES)])


def priced(
    nests: LoopNest, problem: Problem, accelerator: Accelerator, price: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return energy, cycles and cost, infinite where a mapping does not fit."""
    machine = accelerator.running(problem.shape)
    nest = analyse(nests, torch.tensor(problem.strides, dtype=torch.float64), machine)
    sums = footprint(nest, machine)
    energy, latency = energy_pj(sums, machine, {}), cycles(sums, machine, {})
    cost = (energy + price * latency).masked_fill(~fits(nest, machine, {}), torch.inf)
    return energy, latency, cost


MACHINES = {
    "eyeriss": (2, 2, 3, 1, 16, 0),
    "simba": (1, 2, 4, 3, 12, 0),
    "nvdla_large": (1, 3, 8, 0),
    "gemmini": (1, 3, 8, 0),
}
"""Words of each level."""


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("seed", range(6))
def test_the_mapper_finds_the_optimum_of_the_whole_mapspace(name: str, seed: int) -> None:
    machine = unpriced(tight(packaged(name), MACHINES[name]))
    problem = layer(seed, 3 if len(machine.levels) > 4 else 4)
    every = every_mapping(problem, machine, WIDTH)
    for price in (0.0, 20.0, 1000.0):
        least = float(priced(every, problem, machine, price)[2].min())
        found = LayerMapper(machine, problem, {}).best(price)
        assert found.bound == pytest.approx(least, rel=1e-9)
        assert found.nest is not None
        # Whatever the bounds let go, it is not that.
        nearly = LayerMapper(machine, problem, {}).best(price, least * (1 + 1e-7))
        assert nearly.nest is not None
        assert nearly.bound == pytest.approx(least, rel=1e-9)
        nest = found.nest.alone()
        energy, latency, cost = priced(nest, problem, machine, price)
        assert float(energy) == pytest.approx(found.energy, rel=1e-9)
        assert float(latency) == pytest.approx(found.cycles, rel=1e-9)
        assert float(cost) == pytest.approx(least, rel=1e-9)
        bounds = torch.tensor([problem.bounds], dtype=torch.float64)
        assert not find_violations(nest, bounds, machine)

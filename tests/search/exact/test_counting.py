"""The compiled analysis of single mappings against the loop-nest analysis, to the last word."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.search.helpers import small_problem
from tests.search.test_mapper import packaged
from tests.search.test_optimum import coarse
from tilegrad.accelerator import ACCESSES, AXES
from tilegrad.cost.footprint import footprint
from tilegrad.mapping import LoopNest
from tilegrad.mapping.space import MapSpace
from tilegrad.nest import analyse
from tilegrad.search.caps import Caps
from tilegrad.search.exact.counting import count, room_for, tile_of
from tilegrad.search.exact.dominance import undominated
from tilegrad.search.exact.enumeration import CONSTANT, CYCLES, WORDS, enumerate_rows
from tilegrad.search.exact.meshes import Meshes, count_tiles, tiles
from tilegrad.search.exact.tabulated import layout, ranges, space
from tilegrad.search.tables import LayerTable
from tilegrad.shape import ROLES
from tilegrad.shape.conv import CONV, GROUPED
from tilegrad.workload import Problem

LAYERS = (
    Problem("halo", (3, 2, 12, 10, 4, 6, 2), (1, 1, 1, 1), shape=CONV),
    Problem("gaps", (4, 3, 8, 9, 2, 3, 1), (3, 2, 1, 2), shape=CONV),
    Problem("groups", (3, 1, 6, 8, 2, 2, 1, 9), (2, 1, 1, 1), shape=GROUPED),
)


def drawn(layer: Problem, levels: int, rows: int, source: torch.Generator) -> LoopNest:
    """Return random mappings ``[row]``: every prime factor anywhere, in time or in space."""
    dims = len(layer.bounds)
    temporal = torch.ones(rows, levels, dims, dtype=torch.float64)
    spatial = torch.ones(rows, levels, len(AXES), dims, dtype=torch.float64)
    for dim, bound in enumerate(layer.bounds):
        for prime in primes(bound):
            for row in range(rows):
                level = int(torch.randint(levels, (), generator=source))
                axis = int(torch.randint(-3, len(AXES), (), generator=source))
                place = temporal[row, level] if axis < 0 else spatial[row, level, axis]
                place[dim] *= prime
    order = torch.rand(rows, levels, dims, generator=source).argsort(-1)
    return LoopNest(temporal, spatial, order)


def primes(bound: int) -> list[int]:
    """Return a number's prime factors."""
    first = next((each for each in range(2, bound + 1) if bound % each == 0), None)
    return [] if first is None else [first, *primes(bound // first)]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
@pytest.mark.parametrize("name", ["gemmini", "eyeriss"])
def test_words_are_those_of_the_analysis(name: str, layer: Problem) -> None:
    machine = packaged(name).running(layer.shape)
    levels, dims = len(machine.levels), len(layer.bounds)
    table = LayerTable(MapSpace(machine), layer, [])
    nests = drawn(layer, levels, 150, torch.Generator().manual_seed(len(name)))
    nest = analyse(nests, table.strides, machine)
    how = layout(table)
    room, accesses = room_for(levels, dims, how[1].shape[1]), np.zeros((levels, 3, 3))
    for row in range(len(nests.temporal)):
        temporal, spatial = nests.temporal[row].numpy(), nests.spatial[row].numpy()
        tile = tile_of(temporal, spatial, how)
        count(temporal, nests.order[row].numpy(), how, tile, room, accesses)
        for level, kept in enumerate(nest.accesses):
            for role, each in kept.items():
                tensor = ROLES.index(role)
                assert tile[2][level, tensor] == each.tile.expand(150)[row]
                found = accesses[level, tensor].tolist()
                assert found == [float(getattr(each, k).expand(150)[row]) for k in ACCESSES]
            assert tile[5][level] == nest.instances[level].expand(150)[row]


@pytest.mark.parametrize("power", [torch.inf, 1e5])
@pytest.mark.parametrize("ends", [(2.0, 8.0), (8.0, 8.0)])
def test_rows_are_the_footprints_of_mappings(ends: tuple[float, float], power: float) -> None:
    """Each row is what its mapping asks of hardware; of no tile is a better one left out.

    Nor, where power is capped on one mesh, a slower one that alone may keep to it.
    """
    problem = small_problem(accelerator=coarse())
    problem = replace(problem, caps=Caps(pj_per_cycle=power))
    meshes = Meshes.of(problem, {"pe_dim": ends})
    table = meshes.tables[1]
    orders, last = table.orders, count_tiles(table)
    tables = space(table), layout(table), orders.numpy()
    costs = ranges([meshes], problem.accelerator)
    figures, places, sizes = enumerate_rows(0, last, *tables, costs)
    every = tiles(table, 0, last).repeat_interleave(len(orders), 0)
    nests = table.nests(every, torch.arange(len(orders)).repeat(last))
    nest = analyse(nests, table.strides, problem.accelerator)
    sums = footprint(nest, problem.accelerator).expand(len(every))
    widths = torch.from_numpy(meshes.widest_ports)
    ports = torch.cat([sums.port_words[:, :1], (sums.port_words[:, 1:] / widths).ceil()], 1)
    cycles, whole = ports.amax(1).numpy(), np.arange(len(every)) // len(orders)
    energies, groups = sums.energy_words.numpy(), [list(each) for each in meshes.rates.groups]
    words = np.stack([energies[:, group].sum(1) for group in groups], 1)
    constant = energies @ meshes.rates.constant
    found, place = figures[0, : sizes[0]], places[0, : sizes[0]]
    assert (found[:, CYCLES] == cycles[place]).all()
    assert (found[:, WORDS : WORDS + len(groups)] == words[place]).all()
    assert (found[:, WORDS + len(groups) :] == sums.needs.numpy()[place]).all()
    # Its blocks are single words: nothing is rounded up.
    assert found[:, CONSTANT] == pytest.approx(constant[place], rel=1e-12)
    tile = place // len(orders)
    assert (least_of(found[:, CYCLES], tile, last) == least_of(cycles, whole, last)).all()
    if meshes.slow:
        kept = found[:, CONSTANT] - power * found[:, CYCLES]
        above = least_of(constant - power * cycles, whole, last)
        assert least_of(kept, tile, last) == pytest.approx(above, rel=1e-9)


def least_of(figures: np.ndarray, tile: np.ndarray, tiles: int) -> np.ndarray:
    """Return the least of each tile's figures, ``[tile]``."""
    least = np.full(tiles, np.inf)
    np.minimum.at(least, tile, figures)
    return least


@pytest.mark.parametrize("levels", [2, 5, 40])
def test_no_other_row_is_as_good_as_one_that_is_kept(levels: int) -> None:
    source = np.random.default_rng(levels)
    figures = source.integers(levels, size=(300, 4)).astype(float)
    kept = undominated(figures)
    for row, figure in enumerate(figures):
        others = (figures <= figure).all(1)
        worse = (others & (figures < figure).any(1)).any()
        assert kept[row] == (not worse and not (figures[:row] == figure).all(1).any())

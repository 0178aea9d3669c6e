"""Which problems the exact strategy's bounds hold for."""

from __future__ import annotations

from math import prod

import torch

from tilegrad.cost import area_mm2
from tilegrad.cost.footprint import energy_rates, port_widths
from tilegrad.cost.hardware import least_hardware
from tilegrad.errors import ConfigError
from tilegrad.search.exact.mesh_choices import mesh_choices
from tilegrad.search.exact.meshes import Meshes
from tilegrad.search.problem import SearchProblem
from tilegrad.search.tables import LayerTable

MOST_ROWS = 30_000_000
"""Mappings of all layers that are enumerated on one mesh."""

LISTED = 20_000
"""Choices of one dim that are listed to leave out those that are no better."""

TILES = (1.0, 1e2, 1e4, 1e6)
"""Words of one instance for which energies on different meshes are compared."""

FLAT = 1e-9
"""Difference of energies [pJ] that is a rounding."""


def check_supported(problem: SearchProblem) -> None:
    """Refuse problems whose bounds would not hold, or that are too large to enumerate.

    ``ConfigError`` names the field and what is legal.
    """
    if problem.learned is not None:
        raise ConfigError(
            f"strategy is exact and ckpt is {problem.model.name}, of which nothing is known "
            "between its training data; legal beside strategy=exact: ckpt=null"
        )
    if problem.padded:
        raise ConfigError("strategy is exact and padding is always; legal there: auto, none")
    if by_layer(problem):
        if problem.caps.any:
            raise ConfigError(
                "strategy is exact, no size is free and caps.latency_ms or caps.power_w is given: "
                "layers are proven one by one there, and caps are of all; legal: "
                "strategy=gradient, or free sizes"
            )
    else:
        _check_count(problem)
        _check_monotone(problem)
        _check_meshes(problem)


def by_layer(problem: SearchProblem) -> bool:
    """Return whether layers are proven one by one, by partial mappings (``fixed``).

    Where no size is free: all but small mapspaces with ports on inner levels, whose words are told
    only by whole mappings.
    """
    ports = any(level.bandwidth for level in problem.accelerator.levels[:-1])
    return problem.hardware.settled and (not ports or sum(rows(problem)) > MOST_ROWS)


def rows(problem: SearchProblem, alone: bool = False) -> list[int]:
    """Return how many mappings of each layer are enumerated for all meshes, at most.

    ``alone``: for the widest alone.
    """
    every = mesh_choices(problem).items()
    ends = {name: (sizes[-1 if alone else 0], sizes[-1]) for name, sizes in every}
    tables = Meshes.of(problem, ends).tables
    return [_count(table) * len(table.orders) for table in tables]


def _check_count(problem: SearchProblem) -> None:
    counts = rows(problem, alone=True)
    if sum(counts) > MOST_ROWS:
        largest = max(range(len(counts)), key=counts.__getitem__)
        raise ConfigError(
            f"strategy is exact, and the layers of {problem.workload.name} have {sum(counts):,} "
            f"mappings on {problem.accelerator.name} (layer "
            f"{problem.workload.layers[largest].name!r} {counts[largest]:,}); legal: at most "
            f"{MOST_ROWS:,}, or strategy=gradient, which proves nothing"
        )


def _count(table: LayerTable) -> int:
    """Return how many choices of factors a layer has; an upper limit where these are very many."""
    counted = table.counted()
    return prod(counted if max(counted) > LISTED else map(len, table.choices))


def _check_monotone(problem: SearchProblem) -> None:
    """Refuse energies and areas that fall where a size grows: least sizes would prove nothing.

    Areas only where they count.
    """
    grid, shape, names = problem.pricing.grid
    accelerator, space = problem.accelerator, problem.hardware
    counts = problem.objective.area_power > 0 or space.area_cap is not None
    for axis, name in enumerate(names):
        mesh = name in space.plan.meshes
        energy = energy_rates(accelerator, grid).expand(*shape, -1).diff(dim=axis)
        falls, grows = (energy < 0).flatten(0, -2).any(0), (energy > 0).flatten(0, -2).any(0)
        if bool((falls & grows).any() if mesh else falls.any()):
            what = "grow and fall" if mesh else "fall"
            raise _refused(problem, f"energies that {what} as {name} grows")
        area = torch.as_tensor(area_mm2(accelerator, grid), dtype=torch.float64)
        if counts and bool((area.expand(shape).diff(dim=axis) < 0).any()):
            raise _refused(problem, f"an area that falls as {name} grows")
        widths = port_widths(accelerator, grid).expand(*shape, -1).diff(dim=axis)
        if not mesh and bool((widths != 0).any()):
            raise _refused(problem, f"bandwidths that depend on {name}")


def _check_meshes(problem: SearchProblem) -> None:
    """Refuse energies of a fixed tile that are not least at an end of a range of meshes."""
    accelerator, space = problem.accelerator, problem.hardware
    choices = mesh_choices(problem)
    for name, sizes in choices.items():
        others = {other: least[0] for other, least in choices.items() if other != name}
        for words in TILES:
            needs = [
                torch.tensor(1.0 if c.is_mesh else words, dtype=torch.float64)
                for c in accelerator.columns
            ]
            found = []
            for size in sizes:
                mesh = {**space.fixed, **others, name: size}
                told = least_hardware(accelerator, needs, mesh, exact=False).hardware
                found.append(energy_rates(accelerator, told))
            steps = torch.stack(found).diff(dim=0)
            if bool(((steps < -FLAT).any(0) & (steps > FLAT).any(0)).any()):
                raise _refused(problem, f"energies of a tile that grow and fall as {name} grows")


def _refused(problem: SearchProblem, what: str) -> ConfigError:
    return ConfigError(
        f"strategy is exact, and accelerator {problem.accelerator.name} has {what}: bounds would "
        "not hold; legal: another accelerator or energy table, or strategy=gradient"
    )

"""Where factors that divide a layer's bounds leave an array idle, and whether padding them pays.

Judged by the arithmetic alone, on the widest meshes that the limits allow: a mesh of width w takes
a product b of bounds in ceil(b / w) steps at best; factors that divide the bounds take b / f, with
f the largest product of divisors that w holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.level import Fanout
from tilegrad.mapping.covers import ceil_div
from tilegrad.mapping.factors import divisors
from tilegrad.workload import Problem, Workload

AUTO, ALWAYS, NONE = PADDINGS = ("auto", "always", "none")
"""``auto``: where it saves steps of the array; ``always``: every bound without fine divisors."""

PAYS = 1.1
"""How many times the steps with padded factors a workload takes, or more, where padding pays: it
doubles the time of a search."""

UNPADDED = ("cosa", "dosa", "exact", "gemmini_library")
"""Strategies that propose no padded mappings, whatever ``padding`` says."""

NAMED = 3
"""Layers that a message lists."""


@dataclass(frozen=True)
class Mesh:
    """A mesh axis that a layer fills badly: ``used`` of ``width`` at once, ``padded`` if padded."""

    layer: str
    level: str
    axis: str
    bounds: str
    width: int
    used: int
    padded: float

    def __str__(self) -> str:
        return (
            f"layer {self.layer!r} spreads {self.bounds} over {self.used} of {self.width} "
            f"instances along {self.axis} below {self.level} ({self.padded:.3g} if padded)"
        )


@dataclass(frozen=True)
class Idleness:
    """What perfect factors waste of an array: badly filled meshes, steps against padded ones."""

    meshes: tuple[Mesh, ...]
    steps: float

    @property
    def pays(self) -> bool:
        """Whether padding saves enough steps of the array to be worth a search's time."""
        return self.steps >= PAYS

    def __str__(self) -> str:
        worst = sorted(self.meshes, key=lambda mesh: mesh.used / mesh.padded)
        layers = dict.fromkeys(mesh.layer for mesh in worst)
        named = [next(mesh for mesh in worst if mesh.layer == name) for name in layers][:NAMED]
        more = f", and {len(layers) - NAMED} more layers do alike" if len(layers) > NAMED else ""
        return (
            f"factors that divide their bounds leave instances idle: {'; '.join(map(str, named))}"
            f"{more}. padding={AUTO} searches mappings that cover a little more, which take up to "
            f"{self.steps:.3g} times fewer steps of the arithmetic; "
            f"strategy={', '.join(UNPADDED[:-1])} and {UNPADDED[-1]} search none, nor does any "
            "beside a checkpoint or target=gemmini"
        )


def idleness(workload: Workload, accelerator: Accelerator, sizes: Mapping[str, float]) -> Idleness:
    """Return what the layers' divisors waste of meshes of these ``sizes``."""
    meshes: list[Mesh] = []
    perfect = padded = 0.0
    for layer in workload.layers:
        found = list(_meshes(layer, accelerator.running(layer.shape), sizes))
        work = float(layer.macs * layer.count)
        perfect += work / prod(mesh.used for mesh in found)
        padded += work / prod(mesh.padded for mesh in found)
        meshes += [mesh for mesh in found if mesh.padded >= PAYS * mesh.used]
    return Idleness(tuple(meshes), perfect / padded)


def _meshes(layer: Problem, accelerator: Accelerator, sizes: Mapping[str, float]) -> Iterator[Mesh]:
    for level in accelerator.levels:
        for axis, fanout in level.fanout.items():
            yield _mesh(layer, level.name, axis, fanout, int(float(fanout.width(sizes))))


def _mesh(layer: Problem, level: str, axis: str, fanout: Fanout, width: int) -> Mesh:
    bounds = {layer.shape.dims[dim]: layer.bounds[dim] for dim in fanout.dims}
    whole = prod(bounds.values())
    named = ", ".join(f"{dim} {bound}" for dim, bound in bounds.items() if bound > 1)
    used = _largest(list(bounds.values()), width)
    return Mesh(layer.name, level, axis, named, width, used, whole / ceil_div(whole, width))


def _largest(bounds: Sequence[int], width: int) -> int:
    """Return the largest product of one divisor of each bound that is no wider than a mesh."""
    products = {1}
    for bound in bounds:
        fitting = [factor for factor in divisors(bound) if factor <= width]
        products = {p * factor for p in products for factor in fitting if p * factor <= width}
    return max(products)

"""What the page says of a design beyond its record: traffic, roofline, how full the buffers are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from torch import Tensor

from tilegrad.accelerator import Accelerator, Level
from tilegrad.cost.analytical import level_words
from tilegrad.cost.hardware import mac_units
from tilegrad.mapping import LoopNest, stack
from tilegrad.nest import Nest, analyse_layers
from tilegrad.record import LayerResult, Result
from tilegrad.workload import stacks_of


@dataclass(frozen=True)
class Roof:
    """The most that hardware can do: MACs per cycle, and bytes per cycle of the outermost level.

    ``bytes_per_cycle`` is infinite where that level has no bandwidth.
    """

    macs_per_cycle: float
    bytes_per_cycle: float

    @property
    def ridge(self) -> float:
        """The intensity [MAC/B] from which on the arithmetic is the limit."""
        return self.macs_per_cycle / self.bytes_per_cycle


@dataclass(frozen=True)
class LayerFigures:
    """One layer on the roofline, and how full it keeps the buffers.

    ``bytes_moved`` to and from the outermost level in one execution; ``occupancy`` by the name of
    each level of a limited size: the share of it that each tensor's tile takes.
    """

    layer: LayerResult
    bytes_moved: float
    occupancy: Mapping[str, Mapping[str, float]]

    @property
    def intensity(self) -> float:
        """MACs per byte moved to and from the outermost level."""
        return self.layer.problem.macs / self.bytes_moved if self.bytes_moved else inf

    @property
    def macs_per_cycle(self) -> float:
        """Achieved performance."""
        return self.layer.problem.macs / self.layer.cycles


def roof(accelerator: Accelerator, hardware: Mapping[str, float]) -> Roof:
    """Return the roof of an accelerator with this hardware; reading and writing add up."""
    level = accelerator.levels[-1]
    words = sum(float(width(hardware)) for width in level.bandwidth.values())
    return Roof(
        float(mac_units(accelerator, hardware)), words * level.bytes_per_word if words else inf
    )


def layer_figures(
    result: Result, nests: Sequence[LoopNest], accelerator: Accelerator
) -> list[LayerFigures]:
    """Return the figures of every layer; ``nests`` are their mappings ``[level, dim]``."""
    stacks = stacks_of([layer.problem for layer in result.layers])
    nest = analyse_layers(stack(list(nests)), stacks, accelerator)
    count, last = len(result.layers), len(accelerator.levels) - 1
    words = level_words(nest, last) * nest.instances[last]
    moved = (words * accelerator.levels[last].bytes_per_word).expand(count).tolist()
    filled = {
        level.name: _occupancy(nest, index, level, result.hardware, count)
        for index, level in enumerate(accelerator.levels)
        if level.capacity_kb is not None or level.capacity_words is not None
    }
    return [
        LayerFigures(
            layer,
            moved[row],
            {
                name: {tensor: share[row] for tensor, share in tensors.items()}
                for name, tensors in filled.items()
            },
        )
        for row, layer in enumerate(result.layers)
    ]


def _occupancy(
    nest: Nest, index: int, level: Level, hardware: Mapping[str, float], count: int
) -> dict[str, list[float]]:
    """Return the share of one instance's words that each tensor's tile takes, by layer."""
    if level.capacity_kb is not None:
        size = float(level.capacity_kb(hardware)) * 1024 / level.bytes_per_word
        words = size / float(level.instances(hardware))
    else:
        words = float(level.capacity_words or inf)
    tiles: dict[str, Tensor] = {name: kept.tile for name, kept in nest.accesses[index].items()}
    return {name: (tile / words).expand(count).tolist() for name, tile in tiles.items()}

"""The layers of a network, stacked into tensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from tilegrad.errors import WorkloadError
from tilegrad.shape import Shape
from tilegrad.workload.coverage import Coverage
from tilegrad.workload.problem import Problem


@dataclass(frozen=True)
class Stack:
    """The layers of one shape: their places in the workload, and their sizes.

    ``bounds [layer, dim]`` and ``strides [layer, coefficient]`` are the shape's, in float64.
    """

    shape: Shape
    places: tuple[int, ...]
    bounds: Tensor
    strides: Tensor


@dataclass(frozen=True)
class Network:
    """One of several networks: its name, its weight, and how many layers are its own."""

    name: str
    weight: float
    layers: int


@dataclass(frozen=True)
class Networks:
    """Networks whose layers follow each other in one workload; ``rule``: what they are to it."""

    rule: str
    members: tuple[Network, ...]


@dataclass(frozen=True)
class Workload:
    """A named, non-empty sequence of distinct layers; equal ones are merged at construction.

    ``coverage``: what the network holds beside them, where that is known. ``networks``: whose the
    layers are, where they are of several (then equal ones of different networks stay apart). The
    tensors are float64, made once and shared: do not write to them.
    """

    name: str
    layers: tuple[Problem, ...]
    coverage: Coverage | None = None
    networks: Networks | None = None

    def __post_init__(self) -> None:
        if not self.layers:
            raise WorkloadError(f"workload {self.name!r} has no layers (legal: at least one)")
        _check_names(self.name, self.layers)
        if self.networks is None:
            # A frozen dataclass may only normalise its own fields this way.
            object.__setattr__(self, "layers", merge_equal_layers(self.layers))

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.layers)

    @cached_property
    def stacks(self) -> tuple[Stack, ...]:
        """The layers by shape, shapes in the order of their first layers."""
        return stacks_of(self.layers)

    @property
    def stack(self) -> Stack:
        """The layers, where all are of one shape; ``WorkloadError`` names two that differ."""
        first, *others = self.stacks
        if others:
            one, other = (self.layers[each.places[0]] for each in (first, others[0]))
            raise WorkloadError(
                f"workload {self.name!r}: layer {one.name!r} is a {one.shape.told}, layer "
                f"{other.name!r} a {other.shape.told}; legal here: layers of one shape"
            )
        return first

    @property
    def bounds(self) -> Tensor:
        """Loop bounds ``[layer, dim]`` of layers of one shape."""
        return self.stack.bounds

    @property
    def strides(self) -> Tensor:
        """Strides and dilations ``[layer, coefficient]`` of layers of one shape."""
        return self.stack.strides

    @property
    def places(self) -> tuple[range, ...]:
        """Where each network's layers stand: of one network, all of them."""
        if self.networks is None:
            return (range(len(self.layers)),)
        ends = list(accumulate((each.layers for each in self.networks.members), initial=0))
        return tuple(range(*pair) for pair in pairwise(ends))

    @cached_property
    def network(self) -> Tensor:
        """Whose each layer is: places of the networks, ``[layer]``."""
        sizes = torch.tensor([len(each) for each in self.places])
        return torch.arange(len(sizes)).repeat_interleave(sizes)

    @cached_property
    def counts(self) -> Tensor:
        """How often the network executes each layer, ``[layer]``."""
        return torch.tensor([layer.count for layer in self.layers], dtype=torch.float64)


def stacks_of(layers: Sequence[Problem]) -> tuple[Stack, ...]:
    """Return layers by shape, shapes in the order of their first layers."""
    places: dict[Shape, list[int]] = {}
    for place, layer in enumerate(layers):
        places.setdefault(layer.shape, []).append(place)
    return tuple(
        Stack(
            shape,
            tuple(every),
            torch.tensor([layers[place].bounds for place in every], dtype=torch.float64),
            torch.tensor([layers[place].strides for place in every], dtype=torch.float64),
        )
        for shape, every in places.items()
    )


def order_of(stacks: Sequence[Stack]) -> list[int]:
    """Return what puts figures of the stacks' layers, one stack after another, into their order."""
    places = [place for stack in stacks for place in stack.places]
    return sorted(range(len(places)), key=places.__getitem__)


def _check_names(name: str, layers: Iterable[Problem]) -> None:
    """Refuse one name for layers of different shapes."""
    named: dict[str, Problem] = {}
    for layer in layers:
        if named.setdefault(layer.name, layer).signature != layer.signature:
            raise WorkloadError(
                f"workload {name!r}: layers of different shapes are called {layer.name!r} "
                "(legal: a name of its own for each shape)"
            )


def merge_equal_layers(layers: Iterable[Problem]) -> tuple[Problem, ...]:
    """Join layers of equal shape, bounds and strides: counts add up, the first name and place stay.

    The other names are kept in ``Problem.also``.
    """
    merged: dict[tuple[Shape, tuple[int, ...], tuple[int, ...]], Problem] = {}
    for layer in layers:
        seen = merged.get(layer.signature)
        merged[layer.signature] = _joined(seen, layer) if seen else layer
    return tuple(merged.values())


def _joined(seen: Problem, layer: Problem) -> Problem:
    names = dict.fromkeys((*seen.also, layer.name, *layer.also))
    names.pop(seen.name, None)
    return replace(seen, count=seen.count + layer.count, also=tuple(names))

"""Convolutions along one, two or three axes as problems, and transposed ones as their equivalent.

Of the spatial axes the last is W (P, R), the one before it H (Q, S), the first of three D (D, T).
Padding adds nothing but zeros, which are counted as in every layer table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import gcd

from tilegrad.shape import packaged_shape
from tilegrad.workload import Problem

AXES = (("P", "R", "W"), ("Q", "S", "H"), ("D", "T", "D"))
"""Output dim, filter dim and letter of the strides of each axis, the last axis first."""


@dataclass(frozen=True)
class Window:
    """One spatial axis: outputs, filter taps, stride and dilation."""

    outputs: int
    taps: int
    stride: int = 1
    dilation: int = 1


def convolution(
    name: str, batch: int, channels: tuple[int, int], groups: int, axes: Sequence[Window]
) -> Problem:
    """Return a convolution; ``channels`` (in, out) are those of all groups, ``axes`` in order."""
    deep = len(axes) > 2
    fields = {"P": 1, "Q": 1, "R": 1, "S": 1} if not deep else {}
    fields |= {"N": batch, "C": channels[0] // groups, "K": channels[1] // groups}
    for (out, taps, letter), axis in zip(AXES, reversed(axes), strict=False):
        fields |= {out: axis.outputs, taps: axis.taps}
        fields |= {f"{letter}stride": axis.stride, f"{letter}dilation": axis.dilation}
    if not deep:
        return Problem.from_fields(name, {**fields, "G": groups})
    if groups == 1:
        return Problem.from_fields(name, fields, shape=packaged_shape("conv3d"))
    return Problem.from_fields(
        name, {**fields, "G": groups}, shape=packaged_shape("grouped_conv3d")
    )


@dataclass(frozen=True)
class TransposedAxis:
    """One spatial axis of a transposed convolution: its outputs, and the arguments it has."""

    outputs: int
    taps: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def phases(self) -> Iterator[Window]:
        """Yield the convolutions without a stride whose outputs interleave to the axis's.

        Output o takes the taps t with (o + padding - t * dilation) divisible by the stride (Shi et
        al., 2016): outputs of one remainder all take the same ones.
        """
        step = self.dilation // gcd(self.dilation, self.stride)
        for phase in range(min(self.stride, self.outputs)):
            reached = range(phase, self.outputs, self.stride)
            taken = [
                tap
                for tap in range(self.taps)
                if (phase + self.padding - tap * self.dilation) % self.stride == 0
            ]
            if taken:
                yield Window(len(reached), len(taken), 1, step if len(taken) > 1 else 1)


def transposed_convolution(
    name: str, batch: int, channels: tuple[int, int], groups: int, axes: Sequence[TransposedAxis]
) -> list[Problem]:
    """Return the ordinary convolutions that compute a transposed one, equal ones counted.

    No zeros are inserted between inputs, so none are multiplied: as many multiply-accumulates as
    the inputs have taps, but for the borders.
    """
    combined = Counter(product(*(axis.phases() for axis in axes)))
    found = []
    for number, (windows, count) in enumerate(combined.items()):
        label = name if len(combined) == 1 else f"{name}.phase{number}"
        layer = convolution(label, batch, channels, groups, windows)
        found.append(_counted(layer, count))
    return found


def _counted(layer: Problem, count: int) -> Problem:
    return Problem(layer.name, layer.bounds, layer.strides, count, shape=layer.shape)

"""What mappings cost on meshes of given widths, as arrays: priced in compiled code, box by box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from tilegrad.accelerator import ACCESSES, Accelerator, Level
from tilegrad.verify.costs import Counts
from tilegrad.verify.walk import Numbers

Sizes = Mapping[str, object]


@dataclass(frozen=True)
class Part:
    """What rows spend at a level whose energies depend on one free buffer's size, ``buffer``.

    ``words [kind, row]`` by kind of access; ``own [row]``: pJ on the least buffer that a row needs.
    """

    level: int
    buffer: int
    words: Numbers
    own: Numbers


@dataclass(frozen=True)
class Spent:
    """Rows on meshes of one width: ``needs [buffer, row]`` in KB, pJ that no free size changes."""

    needs: Numbers
    constant: Numbers
    parts: list[Part]

    def rows(self, kept: NDArray[np.bool_]) -> Spent:
        """Return some of the rows."""
        parts = [Part(p.level, p.buffer, p.words[:, kept], p.own[kept]) for p in self.parts]
        return Spent(self.needs[:, kept], self.constant[kept], parts)

    @classmethod
    def joined(cls, every: Sequence[Spent]) -> Spent:
        """Return the rows of several together."""
        parts = [
            Part(
                same[0].level,
                same[0].buffer,
                np.concatenate([p.words for p in same], 1),
                np.concatenate([p.own for p in same]),
            )
            for same in zip(*(each.parts for each in every), strict=True)
        ]
        needs = np.concatenate([each.needs for each in every], 1)
        return cls(needs, np.concatenate([each.constant for each in every]), parts)


@dataclass(frozen=True)
class Table:
    """Mappings of a layer: ``cycles [row]``, what they spend by corner, ``wide [mesh, row]``."""

    cycles: Numbers
    spent: list[Spent]
    wide: Numbers

    @classmethod
    def joined(cls, every: Sequence[Table]) -> Table:
        """Return the rows of several together."""
        corners = zip(*(each.spent for each in every), strict=True)
        return cls(
            np.concatenate([each.cycles for each in every]),
            [Spent.joined(same) for same in corners],
            np.concatenate([each.wide for each in every], 1),
        )


def spent(
    counts: Counts,
    needs: Mapping[str, Numbers],
    free: Sequence[str],
    corner: Mapping[str, float],
    blocks: Sequence[float | None],
) -> Spent:
    """Return what mappings spend on meshes as wide as ``corner`` says.

    ``needs``: KB of each buffer; ``free``: those whose size is free; ``blocks [level]``: the words
    that are moved together, where that is the same on all meshes.
    """
    accelerator = counts.accelerator
    constant = np.full_like(counts.steps, counts.macs * accelerator.arithmetic.energy_pj)
    parts, names = [], list(needs)
    least: dict[str, object] = {**corner, **{name: needs[name] for name in free}}
    for index, level in enumerate(accelerator.levels):
        words = _words(counts, index, blocks[index])
        own = np.zeros_like(constant)
        for kind, rate in zip(words, rates(accelerator, level, least), strict=True):
            own = own + rate * kind
        told = [name for name in free if name in _names(level)]
        if told:
            parts.append(Part(index, names.index(told[0]), words, own))
        else:
            constant = constant + own
    # By buffer also where no buffer has a size: of an accelerator without parameters.
    return Spent(np.array([*needs.values()]).reshape(len(needs), len(constant)), constant, parts)


def several(accelerator: Accelerator, free: Sequence[str]) -> str | None:
    """Return a level whose energies depend on more than one free buffer's size."""
    return next((x.name for x in accelerator.levels if len(_names(x) & {*free}) > 1), None)


def rates(accelerator: Accelerator, level: Level, sizes: Sizes) -> list[Numbers]:
    """Return pJ a word of each kind of access, of one or of each row."""
    values = {name: torch.as_tensor(size, dtype=torch.float64) for name, size in sizes.items()}
    found = accelerator.access_pj(level, values)
    return [torch.as_tensor(found[kind], dtype=torch.float64).numpy() for kind in ACCESSES]


def _words(counts: Counts, index: int, block: float | None) -> Numbers:
    """Return the words of each kind of access, of all instances and tensors ``[kind, row]``."""
    found = np.zeros((len(ACCESSES), len(counts.steps)))
    for place in range(len(ACCESSES)):
        for kept in counts.accesses[index]:
            words = kept[place]
            found[place] += words if block is None else np.ceil(words / block) * block
    return found * counts.used[index]


def _names(level: Level) -> frozenset[str]:
    """Return the parameters that a level's energies depend on."""
    if level.access_pj is not None:
        return frozenset().union(*(each.names for each in level.access_pj.values()))
    size = frozenset() if level.capacity_kb is None else level.capacity_kb.names
    return size | level.instances.names | level.block.names

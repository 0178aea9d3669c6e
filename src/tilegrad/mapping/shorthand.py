"""The public datasets' shorthand of a mapping, and its inverse.

``L3[WIO] K8 Q28 - L2[WI] N1 K4X - L1[O] K2 S7 R7 Q4 P7 C3X - L0[W] P16``: levels from the
outermost, loops from the outermost, ``X``/``Y`` marks spatial loops, ``[..]`` the tensors kept,
``N1`` stands for "no loops". Spatial loops are written last, Y before X.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tilegrad.accelerator import AXES, Accelerator, Level
from tilegrad.errors import MappingError, nearest
from tilegrad.mapping.loopnest import LoopNest
from tilegrad.shape import ROLES

_Array = NDArray[Any]

_HEAD = re.compile(r"L(\d+)\[([A-Z]*)\]", re.ASCII)
_LOOP = re.compile(r"([A-Za-z]+)(\d{1,15})([A-Za-z]?)", re.ASCII)
NOTHING = "N1"
"""Stands for no temporal loops, whatever the dims."""

_EXAMPLE = "L1[WIO] K8 P4 - L0[W] N1 C4X"


def parse_shorthand(text: str, accelerator: Accelerator) -> LoopNest:
    """Return the mapping ``[level, dim]`` that ``text`` writes.

    Raises ``MappingError`` naming the level and the loop that are wrong and what is legal.
    """
    return parse_shorthands([text], accelerator)[0]


def parse_shorthands(texts: Sequence[str], accelerator: Accelerator) -> LoopNest:
    """Return the mappings ``[text, level, dim]`` that ``texts`` write.

    Every distinct text is taken apart once and every distinct text of a level is read once.
    Raises ``MappingError`` for the first malformed text, as ``parse_shorthand`` does.
    """
    distinct = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    dims = accelerator.shape.dims
    levels = [_LevelReader(index, level, dims) for index, level in enumerate(accelerator.levels)]
    parts = [_read_text(text, levels, accelerator) for text in distinct]
    rows = np.fromiter((distinct[text] for text in texts), dtype=np.int64, count=len(texts))
    codes = np.array(parts, dtype=np.int64).reshape(-1, len(levels))[rows]

    def gather(tables: list[_Array]) -> torch.Tensor:
        picked = [table[codes[:, index]] for index, table in enumerate(tables)]
        return torch.from_numpy(np.stack(picked, 1))

    tables = [level.tables() for level in levels]
    return LoopNest(
        gather([temporal for temporal, _, _ in tables]),
        gather([spatial for _, spatial, _ in tables]),
        gather([order for _, _, order in tables]),
    )


def format_shorthand(mapping: LoopNest, accelerator: Accelerator) -> str:
    """Return the shorthand of one integer mapping ``[level, dim]``."""
    rows = zip(
        mapping.temporal.tolist(),
        mapping.spatial.tolist(),
        mapping.order.tolist(),
        accelerator.levels,
        strict=True,
    )
    dims = accelerator.shape.dims
    parts = [
        " ".join([_head(index, level), *_loops(temporal, order, dims), *_spread(spatial, dims)])
        for index, (temporal, spatial, order, level) in enumerate(rows)
    ]
    return " - ".join(reversed(parts))


class _LevelReader:
    """Reads one level's texts, each distinct one once, into rows of (flat) tables."""

    def __init__(self, index: int, level: Level, dims: tuple[str, ...]) -> None:
        self._index = index
        self._dims = dims
        self._level = level
        self._head = _head(index, level)
        self._codes: dict[str, int] = {}
        self._temporal: list[float] = []
        self._spatial: list[float] = []
        self._order: list[int] = []

    def code(self, part: str, text: str) -> int:
        """Return the tables' row of ``part``; an error quotes the whole ``text``."""
        code = self._codes.get(part)
        if code is None:
            try:
                self._read(part.split())
            except MappingError as error:
                raise MappingError(f"mapping {text!r}, level L{self._index}: {error}") from None
            code = self._codes[part] = len(self._codes)
        return code

    def tables(self) -> tuple[_Array, _Array, _Array]:
        """Return temporal ``[row, dim]``, spatial ``[row, axis, dim]``, order ``[row, dim]``."""
        count = len(self._dims)
        return (
            np.array(self._temporal, dtype=np.float64).reshape(-1, count),
            np.array(self._spatial, dtype=np.float64).reshape(-1, len(AXES), count),
            np.array(self._order, dtype=np.int64).reshape(-1, count),
        )

    def _read(self, words: list[str]) -> None:
        self._check_head(words[0] if words else "")
        count = len(self._dims)
        temporal = [1.0] * count
        spatial = [1.0] * (len(AXES) * count)
        sequence: list[int] = []
        for word in words[1:]:
            dim, bound, axis = _parse_loop(word, self._dims)
            if axis is not None:
                spatial[axis * count + dim] *= bound
            elif dim in sequence and bound > 1:
                raise MappingError(f"two temporal loops over {self._dims[dim]}; merge them")
            elif bound > 1:
                temporal[dim] = bound
                sequence.append(dim)
        self._temporal += temporal
        self._spatial += spatial
        self._order += sequence
        self._order += [dim for dim in range(count) if dim not in sequence]

    def _check_head(self, word: str) -> None:
        if word == self._head:
            return
        match = _HEAD.fullmatch(word)
        kept = {name[0] for name in self._level.keeps}
        if not match or int(match[1]) != self._index or set(match[2]) != kept:
            raise MappingError(
                f"starts with {word!r}; {self._level.name} is written {self._head!r}"
            )


def _read_text(text: str, levels: list[_LevelReader], accelerator: Accelerator) -> list[int]:
    """Return the row of each level's part of ``text``, innermost level first."""
    parts = text.split(" - ")
    if len(parts) != len(levels):
        raise MappingError(
            f"mapping {text!r} has {len(parts)} levels; {accelerator.name} has {len(levels)}, "
            f"written outermost first and parted by ' - ' (as in {_EXAMPLE!r})"
        )
    outermost_first = zip(reversed(levels), parts, strict=True)
    return [level.code(part, text) for level, part in outermost_first][::-1]


def _loops(temporal: list[float], order: list[int], dims: Sequence[str]) -> list[str]:
    return [f"{dims[dim]}{int(temporal[dim])}" for dim in order if temporal[dim] > 1] or [NOTHING]


def _spread(spatial: list[list[float]], dims: Sequence[str]) -> list[str]:
    return [
        f"{dims[dim]}{int(bound)}{AXES[axis]}"
        for axis in reversed(range(len(AXES)))
        for dim, bound in enumerate(spatial[axis])
        if bound > 1
    ]


def _head(index: int, level: Level) -> str:
    return f"L{index}[{''.join(name[0] for name in ROLES if name in level.keeps)}]"


@lru_cache(maxsize=4096)
def _parse_loop(word: str, dims: tuple[str, ...]) -> tuple[int, int, int | None]:
    match = _LOOP.fullmatch(word)
    if match is None:
        raise MappingError(f"{word!r} is not a loop; legal: a dim, a bound, X or Y (K8, C4X)")
    name, bound, axis = match[1], int(match[2]), match[3]
    if word == NOTHING and name not in dims:
        return 0, 1, None
    if name not in dims:
        raise MappingError(f"{word!r} has unknown dim {name!r} ({nearest(name, dims)})")
    if bound < 1:
        raise MappingError(f"{word!r} has bound {bound}; legal: an integer >= 1")
    if axis and axis not in AXES:
        raise MappingError(f"{word!r} has unknown axis {axis!r} ({nearest(axis, AXES)})")
    return dims.index(name), bound, AXES.index(axis) if axis else None

"""What must hold of a mapping on an accelerator: each mesh wide enough, each buffer large enough.

The only source of fitting, excess, diagnosis, inference and the hardware that a search scans.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tilegrad.accelerator.expression import Expression, constant
from tilegrad.accelerator.inversion import direction
from tilegrad.accelerator.level import AXES, Level
from tilegrad.errors import AcceleratorError

if TYPE_CHECKING:
    from torch import Tensor

KILOBYTES, WORDS = "KB", "words"
"""How the capacity of a level is given: of all instances together, or of one."""


@runtime_checkable
class Tiles(Protocol):
    """What mappings take of a machine; tensors ``[...]``."""

    def words(self, level: int) -> Tensor:
        """Return the words that one instance of a level keeps."""
        ...

    def extent(self, level: int, axis: int) -> Tensor:
        """Return over how many instances the loops below a level are spread along an axis."""
        ...


@dataclass(frozen=True)
class Requirement:
    """What mappings need of one mesh axis or of one instance of a level is at most ``have``.

    ``what`` is the mesh axis ``X`` or ``Y`` (instances along it), or how the capacity is given,
    ``KB`` or ``words``; ``have`` counts the words of one instance then. ``field`` holds ``given``,
    the expression that the description states.
    """

    level: int
    what: str
    field: str
    given: Expression
    have: Expression

    @property
    def is_mesh(self) -> bool:
        """Whether it is about the width of a mesh."""
        return self.what in AXES

    def need(self, tiles: Tiles) -> Tensor:
        """Return what mappings need, ``[...]``: instances along the axis, or words of one."""
        if self.is_mesh:
            return tiles.extent(self.level, AXES.index(self.what))
        return tiles.words(self.level)


@dataclass(frozen=True)
class Column:
    """Requirements that the same parameters decide in the same way: meshes of one width, or one.

    ``directions`` says of each parameter whether ``have`` grows with it (1), falls (-1) or stays
    (0); None where it does neither throughout.
    """

    requirements: tuple[Requirement, ...]
    directions: Mapping[str, int | None]

    @property
    def have(self) -> Expression:
        """What there is of it."""
        return self.requirements[0].have

    @property
    def is_mesh(self) -> bool:
        """Whether it is about widths of meshes."""
        return self.requirements[0].is_mesh

    @property
    def names(self) -> frozenset[str]:
        """The parameters that decide it."""
        return self.have.names

    def need(self, tiles: Tiles) -> Tensor:
        """Return the largest need of its requirements, ``[...]``."""
        needs = [each.need(tiles) for each in self.requirements]
        if not self.is_mesh:
            return needs[0]
        import torch

        return torch.stack(torch.broadcast_tensors(*needs)).amax(0)


def requirements_of(levels: Sequence[Level]) -> tuple[Requirement, ...]:
    """Return all requirements, from the innermost level outwards, meshes before the capacity."""
    return tuple(each for index in range(len(levels)) for each in _of_level(index, levels[index]))


def columns_of(
    requirements: Sequence[Requirement], least: Mapping[str, float]
) -> tuple[Column, ...]:
    """Return those that parameters decide, meshes of one width together; ``least`` sizes."""
    groups: dict[object, list[Requirement]] = {}
    for each in requirements:
        if each.have.names:
            key = ast.dump(each.have.tree) if each.is_mesh else (each.level, each.what)
            groups.setdefault(key, []).append(each)
    return tuple(
        Column(tuple(group), {name: direction(group[0].have, name, least) for name in least})
        for group in groups.values()
    )


def check_monotone(levels: Sequence[Level], least: Mapping[str, float], where: str) -> None:
    """Refuse sizes that grow with a parameter and then fall: no size would be the least."""
    for column in columns_of(requirements_of(levels), least):
        for name, found in column.directions.items():
            if found is None:
                stated = column.requirements[0]
                raise AcceleratorError(
                    f"{where}.{stated.field}: what {stated.given.text!r} makes of {name} grows and "
                    f"falls with it; legal: an expression that does one of them throughout"
                )


def _of_level(index: int, level: Level) -> Iterator[Requirement]:
    where = f"levels[{index}]"
    for axis, fanout in level.fanout.items():
        yield Requirement(index, axis, f"{where}.fanout.{axis}.width", fanout.width, fanout.width)
    if level.capacity_kb is not None:
        words = _words_of_one(level.capacity_kb, level)
        yield Requirement(index, KILOBYTES, f"{where}.capacity_kb", level.capacity_kb, words)
    if level.capacity_words is not None:
        words = constant(level.capacity_words)
        yield Requirement(index, WORDS, f"{where}.capacity_words", words, words)


def _words_of_one(size: Expression, level: Level) -> Expression:
    """Return the words of one instance of a level whose instances have ``size`` KB together."""
    words = _combined(_combined(size.tree, ast.Mult(), 1024), ast.Div(), level.bytes_per_word)
    tree = ast.BinOp(words, ast.Div(), level.instances.tree)
    return Expression(ast.unparse(tree), size.names | level.instances.names, tree)


def _combined(left: ast.expr, operator: ast.operator, right: float) -> ast.expr:
    return ast.BinOp(left, operator, ast.Constant(float(right)))

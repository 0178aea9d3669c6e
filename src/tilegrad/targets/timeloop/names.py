"""What Timeloop's files call a problem's dims and tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from string import ascii_uppercase

from tilegrad.shape import ROLES, Shape
from tilegrad.workload.timeloop_shape import TimeloopShape


def dim_letters(shape: Shape) -> dict[str, str]:
    """Return the letter of each dim: Timeloop takes names of one letter alone.

    A dim of a longer name has its own first letter that is free, or else any.
    """
    letters: dict[str, str] = {dim: dim for dim in shape.dims if len(dim) == 1}
    for dim in shape.dims:
        if dim not in letters:
            free = (each for each in dim.upper() + ascii_uppercase if each not in letters.values())
            letters[dim] = next(free, dim)
    return {dim: letters[dim] for dim in shape.dims}


@dataclass(frozen=True)
class Names:
    """This project's names by those of a file: of dims, and of data spaces (roles)."""

    dims: Mapping[str, str]
    spaces: Mapping[str, str] = field(default_factory=lambda: {role: role for role in ROLES})

    @classmethod
    def of(cls, shape: Shape, stated: TimeloopShape | None = None) -> Names:
        """Return the names of a shape, and those of the problem file that states it."""
        dims = {letter: dim for dim, letter in dim_letters(shape).items()}
        if "K" in dims:
            # Many published mappings call the output channels M.
            dims.setdefault("M", "K")
        if stated is None:
            return cls(dims)
        return cls({**dims, **stated.dims}, {**cls(dims).spaces, **stated.spaces})

    def roles(self, spaces: Iterable[object]) -> list[str]:
        """Return the roles of data spaces."""
        return [self.spaces.get(str(space), str(space)) for space in spaces]

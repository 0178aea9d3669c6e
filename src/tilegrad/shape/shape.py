"""What is computed: dims, and tensors indexed by them; all that an analysis needs derives from it.

A tensor's axis is a sum of at most two dims, each times a coefficient: a number, or a constant that
every layer gives (a stride, a dilation). With one dim and coefficient 1 an axis is plain; tiles
slide along any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

from tilegrad.errors import WorkloadError

WEIGHTS, INPUTS, OUTPUTS = "Weights", "Inputs", "Outputs"
ROLES = (WEIGHTS, INPUTS, OUTPUTS)
"""What tensors are to an accelerator: two operands and the result."""

FILTER, PIXEL = ("R", "S"), ("P", "Q")
REDUCTION, CHANNEL, BATCH, GROUP = "C", "K", "N", "G"
LETTERS = (*FILTER, *PIXEL, REDUCTION, CHANNEL, BATCH, GROUP)
"""Kinds of dims by which accelerators say where loops may lie, under a convolution's names."""

MOST_TERMS = 2
"""Dims of one axis, up to which the halo's state machine is exact."""


@dataclass(frozen=True)
class Term:
    """A dim (its place in ``Shape.dims``) times a number, or a constant that each layer gives."""

    dim: int
    coefficient: int | str = 1


@dataclass(frozen=True)
class Axis:
    """One index of a tensor: the sum of its terms."""

    terms: tuple[Term, ...]

    @property
    def dims(self) -> tuple[int, ...]:
        """The dims that move along the axis."""
        return tuple(term.dim for term in self.terms)

    @property
    def slides(self) -> bool:
        """Whether neighbouring tiles may overlap along it, or leave gaps."""
        return len(self.terms) > 1 or self.terms[0].coefficient != 1


@dataclass(frozen=True)
class Shape:
    """A problem's algebra.

    ``axes`` follow ``ROLES``, ``coefficients`` have ``defaults``; ``optional`` dims are 1 where a
    layer does not say; a layer whose ``left_out`` dims are 1 is a problem without them.
    ``letters`` say what each dim is to an accelerator (``LETTERS``). Raises ``WorkloadError`` for
    what cannot be counted exactly.
    """

    name: str
    dims: tuple[str, ...]
    axes: tuple[tuple[Axis, ...], ...]
    coefficients: tuple[str, ...] = ()
    defaults: tuple[int, ...] = ()
    optional: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    letters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._check()
        if not self.letters:
            object.__setattr__(self, "letters", derived_letters(self))

    @property
    def told(self) -> str:
        """The name, for messages: a convolution of several groups says so."""
        return f"{self.name} with {', '.join(self.left_out)}" if self.left_out else self.name

    def tensor(self, role: str) -> tuple[Axis, ...]:
        """Return the axes of a tensor."""
        return self.axes[ROLES.index(role)]

    @cached_property
    def relevant(self) -> dict[str, frozenset[int]]:
        """Dims that move each tensor's tile."""
        return {
            role: frozenset(dim for axis in axes for dim in axis.dims)
            for role, axes in zip(ROLES, self.axes, strict=True)
        }

    @cached_property
    def sliding(self) -> dict[str, tuple[int, ...]]:
        """Dims of each tensor's sliding axes, in the axes' order."""
        return {
            role: tuple(dim for axis in axes if axis.slides for dim in axis.dims)
            for role, axes in zip(ROLES, self.axes, strict=True)
        }

    @property
    def fields(self) -> tuple[str, ...]:
        """What a layer gives: bounds, then coefficients."""
        return (*self.dims, *self.coefficients)

    @property
    def required(self) -> tuple[str, ...]:
        """What a layer has to give; the rest has defaults."""
        return tuple(dim for dim in self.dims if dim not in self.optional)

    def default(self, field: str) -> int:
        """Return what a field is where a layer does not give it."""
        return dict(zip(self.coefficients, self.defaults, strict=True)).get(field, 1)

    def without(self, dims: Iterable[str]) -> Shape:
        """Return the shape of layers that are 1 along ``dims``."""
        gone = frozenset(self.dims.index(dim) for dim in dims)
        return _without(self, gone) if gone else self

    def _check(self) -> None:
        place = f"shape {self.name!r}"
        for role, axes in zip(ROLES, self.axes, strict=True):
            for axis in axes:
                if len(axis.terms) > MOST_TERMS:
                    raise WorkloadError(
                        f"{place}, tensor {role}: the axis {self._told(axis)} has "
                        f"{len(axis.terms)} terms; legal: at most {MOST_TERMS}, for which the "
                        "words that neighbouring tiles share are counted exactly"
                    )
            dims = [dim for axis in axes for dim in axis.dims]
            if twice := {self.dims[dim] for dim in dims if dims.count(dim) > 1}:
                raise WorkloadError(
                    f"{place}, tensor {role}: dim {sorted(twice)[0]} is in it twice; legal: once"
                )
        if sliding := self.sliding[OUTPUTS]:
            raise WorkloadError(
                f"{place}, tensor {OUTPUTS}: dim {self.dims[sliding[0]]} slides along it; legal: "
                "axes of one dim each, without a coefficient"
            )
        used = frozenset().union(*self.relevant.values())
        if unused := [dim for place, dim in enumerate(self.dims) if place not in used]:
            raise WorkloadError(f"{place}: no tensor has the dim {unused[0]}; legal: dims of some")

    def _told(self, axis: Axis) -> str:
        return " + ".join(
            self.dims[t.dim] if t.coefficient == 1 else f"{self.dims[t.dim]} * {t.coefficient}"
            for t in axis.terms
        )

    def described(self) -> dict[str, Any]:
        """Return the description that ``build_shape`` reads as this shape, as plain data."""
        derived = derived_letters(self)
        stated = {
            "name": self.name,
            "dims": list(self.dims),
            "coefficients": dict(zip(self.coefficients, self.defaults, strict=True)),
            "tensors": {role: [*map(self._told, self.tensor(role))] for role in ROLES},
            "optional": list(self.optional),
            "left_out": list(self.left_out),
            "like": {
                dim: letter
                for dim, letter, own in zip(self.dims, self.letters, derived, strict=True)
                if letter != own
            },
        }
        return {field: value for field, value in stated.items() if value}


@cache
def _without(shape: Shape, gone: frozenset[int]) -> Shape:
    kept = [place for place in range(len(shape.dims)) if place not in gone]

    def axis(terms: tuple[Term, ...]) -> Axis:
        return Axis(tuple(replace(t, dim=kept.index(t.dim)) for t in terms if t.dim in kept))

    axes = tuple(
        tuple(axis(each.terms) for each in tensor if set(each.dims) - gone) for tensor in shape.axes
    )
    names = tuple(shape.dims[place] for place in kept)
    return replace(
        shape,
        dims=names,
        axes=axes,
        optional=tuple(dim for dim in shape.optional if dim in names),
        left_out=(),
        letters=tuple(shape.letters[place] for place in kept),
    )


def derived_letters(shape: Shape) -> tuple[str, ...]:
    """Return what each dim is to an accelerator.

    Its own name where a convolution's dim of that name stands for the same tensors; otherwise the
    kind that its tensors tell, the first or second filter and pixel of sliding axes apart.
    """
    return tuple(_letter(shape, place) for place in range(len(shape.dims)))


def _letter(shape: Shape, place: int) -> str:
    kinds = _kinds(shape, place)
    name = shape.dims[place]
    if name in kinds:
        return name
    sliding = [
        [dim for dim in axis.dims if set(_kinds(shape, dim)) == set(kinds)]
        for role in ROLES
        for axis in shape.tensor(role)
        if axis.slides
    ]
    beside = [number for number, dims in enumerate(filter(None, sliding)) if place in dims]
    return kinds[min(beside[0], len(kinds) - 1)] if beside else kinds[0]


def _kinds(shape: Shape, place: int) -> tuple[str, ...]:
    weights, inputs, outputs = (place in shape.relevant[role] for role in ROLES)
    if weights and inputs:
        if outputs:
            return (GROUP,)
        slides = place in (*shape.sliding[WEIGHTS], *shape.sliding[INPUTS])
        return (*FILTER, REDUCTION) if slides else (REDUCTION, *FILTER)
    if outputs:
        return (CHANNEL,) if weights else (*PIXEL, BATCH)
    return (REDUCTION,)

"""How mappings tell an accelerator's sizes: which requirements ask for which parameter, in turn."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tilegrad.accelerator.inversion import occurrences
from tilegrad.accelerator.requirement import Column
from tilegrad.errors import ConfigError


@dataclass(frozen=True)
class Step:
    """A parameter and the requirements that ask for it once the earlier steps' are known.

    ``columns`` are places among ``Accelerator.columns``.
    """

    name: str
    columns: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """Parameters in the order in which mappings tell them; the ``checked`` columns ask for none.

    A fixed parameter that mappings could tell has a step too: what they ask of it is compared with
    what it is. Where two parameters share a requirement, the later one takes what is left of it.
    """

    columns: tuple[Column, ...]
    steps: tuple[Step, ...]
    checked: tuple[int, ...]

    @cached_property
    def meshes(self) -> tuple[str, ...]:
        """The parameters that widths of meshes depend on."""
        wide = {name for column in self.columns if column.is_mesh for name in column.names}
        return tuple(step.name for step in self.steps if step.name in wide)

    @cached_property
    def sizes(self) -> tuple[str, ...]:
        """The other parameters that mappings tell."""
        return tuple(step.name for step in self.steps if step.name not in self.meshes)

    def step(self, name: str) -> Step:
        """Return a parameter's step."""
        return next(step for step in self.steps if step.name == name)

    def given(self, fixed: Collection[str]) -> list[str]:
        """Return those of the fixed parameters that mappings cannot tell."""
        told = {step.name for step in self.steps}
        return [name for name in fixed if name not in told]


def determined(
    accelerator: str, columns: tuple[Column, ...], names: Sequence[str], fixed: Collection[str]
) -> Plan:
    """Return how mappings tell the parameters ``names`` but those ``fixed``.

    Raises ``ConfigError`` naming a parameter that they do not tell, the fields that hold it, why
    those do not say, and what is legal.
    """
    # Meshes first: how many instances share a buffer says how much each of them has of it.
    waiting = sorted(range(len(columns)), key=lambda place: not columns[place].is_mesh)
    known = {name for name in names if name in fixed}
    steps: list[Step] = []
    while (step := _next(columns, waiting, known)) is not None:
        steps.append(step)
        known.add(step.name)
        waiting = [place for place in waiting if place not in step.columns]
    of_free = {place for step in steps if step.name not in fixed for place in step.columns}
    for name in names:
        grows = (p for p, column in enumerate(columns) if column.directions[name] == 1)
        if name not in fixed and (name not in known or not of_free.issuperset(grows)):
            raise _untold(accelerator, columns, name, known)
    return Plan(columns, tuple(steps), tuple(sorted(waiting)))


def _next(columns: Sequence[Column], waiting: Sequence[int], known: set[str]) -> Step | None:
    """Return the first parameter that some requirement tells, with all that ask for it.

    One that is not known yet, or else a fixed one that is all there is to ask for.
    """
    for place in waiting:
        unknown = columns[place].names - known
        for name in unknown or columns[place].directions:
            if unknown <= {name} and _solvable(columns[place], name):
                asking = (p for p in waiting if columns[p].names - known == unknown)
                return Step(name, tuple(p for p in asking if _solvable(columns[p], name)))
    return None


def _solvable(column: Column, name: str) -> bool:
    return column.directions[name] == 1 and occurrences(column.have, name) == 1


def _untold(
    accelerator: str, columns: Sequence[Column], name: str, known: Collection[str]
) -> ConfigError:
    told = "; ".join(_reasons(accelerator, columns, name, known))
    told = told or f"no mesh or buffer of accelerator {accelerator} has its size"
    return ConfigError(
        f"hardware.{name} is null, and mappings do not tell its size ({told}); legal: "
        f"hardware.{name}=NUMBER, or a parameter of its own for each buffer and mesh"
    )


def _reasons(
    accelerator: str, columns: Sequence[Column], name: str, known: Collection[str]
) -> Iterator[str]:
    for column in columns:
        if name not in column.names:
            continue
        stated = column.requirements[0]
        others = sorted(column.names - {*known, name})
        if column.directions[name] != 1:
            why = "which does not grow with it"
        elif occurrences(column.have, name) > 1:
            why = f"which holds {name} more than once"
        else:
            why = f"which depends on {' and '.join(others)} too" if others else "which needs more"
        yield f"accelerator {accelerator}.{stated.field} is {stated.given.text!r}, {why}"

"""Sizes at which a description makes sense: no expression of theirs below what it stands for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.accelerator.accelerator import Accelerator
from tilegrad.accelerator.expression import Expression, Value, values
from tilegrad.errors import ConfigError


@dataclass(frozen=True)
class Rule:
    """What the values of some fields have to be; ``nan`` and infinity are never."""

    holds: Callable[[Tensor], Tensor]
    legal: str


POSITIVE = Rule(lambda value: value > 0, "a number > 0")
NOT_NEGATIVE = Rule(lambda value: value >= 0, "a number >= 0")
WHOLE = Rule(lambda value: (value >= 1) & (value == value.floor()), "a whole number >= 1")


def possible(accelerator: Accelerator, hardware: Mapping[str, Value]) -> Tensor:
    """Return at which sizes ``[...]`` (they broadcast) every field is what it has to be.

    Fields of parameters that ``hardware`` lacks are left out.
    """
    found = torch.ones((), dtype=torch.bool)
    for _, expression, rule in _expressions(accelerator, hardware):
        found = found & _holds(values(expression, hardware), rule)
    return found


def impossible(accelerator: Accelerator, hardware: Mapping[str, float]) -> str | None:
    """Return which field is not what it has to be at some sizes, its value and what is legal."""
    for field, expression, rule in _expressions(accelerator, hardware):
        value = values(expression, hardware)
        if not _holds(value, rule):
            at = ", ".join(f"{name} {float(hardware[name]):g}" for name in sorted(expression.names))
            place = f"accelerator {accelerator.name}.{field}"
            return f"{place}: {expression.text!r} is {float(value):g} at {at}; legal: {rule.legal}"
    return None


def check_possible(accelerator: Accelerator, hardware: Mapping[str, float], where: str) -> None:
    """Refuse sizes at which the accelerator makes no sense; ``ConfigError`` names the field."""
    if (reason := impossible(accelerator, hardware)) is not None:
        raise ConfigError(f"{where}: {reason}")


def _holds(value: Tensor, rule: Rule) -> Tensor:
    return value.isfinite() & rule.holds(value)


def _expressions(
    accelerator: Accelerator, known: Collection[str]
) -> Iterator[tuple[str, Expression, Rule]]:
    """Yield the fields that known parameters decide; plain numbers are checked when read."""
    for index, level in enumerate(accelerator.levels):
        every = [("block", level.block, POSITIVE)]
        every += [
            (f"fanout.{axis}.width", each.width, WHOLE) for axis, each in level.fanout.items()
        ]
        every += [(f"bandwidth.{port}", width, POSITIVE) for port, width in level.bandwidth.items()]
        every += [
            (f"access_pj.{access}", energy, NOT_NEGATIVE)
            for access, energy in (level.access_pj or {}).items()
        ]
        if level.capacity_kb is not None:
            every.append(("capacity_kb", level.capacity_kb, POSITIVE))
        if level.area_mm2 is not None:
            every.append(("area_mm2", level.area_mm2, NOT_NEGATIVE))
        for field, expression, rule in every:
            if expression.names and expression.names <= set(known):
                yield f"levels[{index}].{field}", expression, rule

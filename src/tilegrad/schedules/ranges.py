"""Hardware to simulate: the ranges of its parameters, and random machines out of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.errors import ConfigError, InfeasibleError, unknown
from tilegrad.schedules.identity import group

WIDTHS = (2, 128)
"""Range of a mesh axis where none is given: that of the public dataset."""

SIZES_KB = (1, 2048)
"""Range of a buffer where none is given: that of the public dataset."""

ROUNDS = 200
"""Draws of as many machines as are wanted before fewer distinct ones are accepted."""


@dataclass(frozen=True)
class Range:
    """Values of one parameter: listed ones, equally likely; or the integers from low to high.

    Integers are the whole part of a log-uniform number, so k comes with log((k + 1) / k).
    """

    listed: tuple[float, ...] = ()
    low: int = 1
    high: int = 1

    def __str__(self) -> str:
        return str(list(self.listed)) if self.listed else f"{self.low} to {self.high}"

    @property
    def count(self) -> int:
        """How many values there are."""
        return len(self.listed) or self.high - self.low + 1

    @property
    def values(self) -> Tensor:
        """The values, ascending where not listed."""
        return torch.tensor(self.listed or range(self.low, self.high + 1), dtype=torch.float64)

    def draw(self, count: int, random: torch.Generator) -> Tensor:
        """Return ``count`` values ``[count]``."""
        uniform = torch.rand(count, generator=random, dtype=torch.float64)
        if self.listed:
            return torch.tensor(self.listed, dtype=torch.float64)[(uniform * self.count).long()]
        spread = math.log((self.high + 1) / self.low)
        return ((uniform * spread).exp() * self.low).floor().clamp(self.low, self.high)


def hardware_ranges(
    accelerator: Accelerator, given: Mapping[str, object] | None
) -> dict[str, Range]:
    """Return a range for each hardware parameter, ``given`` ones before the usual ones.

    Raises ``ConfigError`` naming the parameter, its value and what is legal.
    """
    if given is None:
        given = {}
    if not isinstance(given, Mapping):
        raise ConfigError(
            f"source.hardware is {given!r}; legal: null, or ranges by parameter "
            f"({', '.join(accelerator.parameters) or 'none'})"
        )
    for name in given:
        if name not in accelerator.parameters:
            legal = list(accelerator.parameters) or ["none"]
            raise ConfigError(unknown("hardware parameter", name, legal, "source.hardware"))
    return {name: _range(name, accelerator, given.get(name)) for name in accelerator.parameters}


def draw_machines(
    ranges: Mapping[str, Range],
    count: int,
    random: torch.Generator,
    usable: Callable[[dict[str, Tensor]], Tensor],
) -> dict[str, Tensor]:
    """Return up to ``count`` distinct ``usable`` machines, each parameter ``[machine]``.

    Fewer where the ranges hold fewer, or so few more that ``ROUNDS`` draws did not find them.
    Raises ``InfeasibleError`` where none is found.
    """
    most = min(count, math.prod(span.count for span in ranges.values()))
    found = torch.empty(0, len(ranges), dtype=torch.float64)
    for _ in range(ROUNDS):
        machines = {name: span.draw(count, random) for name, span in ranges.items()}
        fitting = usable(machines).expand(count)
        drawn = torch.stack([*machines.values(), fitting.double()], 1)[fitting]
        found = torch.cat([found, drawn[:, :-1]])
        found = found[group(found)[1]][:most] if ranges else found[:1]
        if len(found) == most:
            break
    if not len(found):
        spans = "; ".join(f"{name}: {span}" for name, span in ranges.items())
        raise InfeasibleError(
            f"source.hardware: no machine holds even tiles of one word ({spans}; legal: larger "
            "buffers)"
        )
    return dict(zip(ranges, found.unbind(1), strict=True))


def _range(name: str, accelerator: Accelerator, given: object) -> Range:
    least = accelerator.parameters[name].minimum
    if given is None:
        return _usual(name, accelerator, math.ceil(least))
    if isinstance(given, Mapping):
        return _span(name, given, least)
    listed = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    for value in listed:
        if not isinstance(value, (int, float)) or not least <= value < math.inf:
            raise ConfigError(
                f"source.hardware.{name}: {value!r} is not legal (legal: a number >= {least:g}, "
                "a list of them, or low and high)"
            )
    if not listed or len(set(listed)) < len(listed):
        raise ConfigError(f"source.hardware.{name}: {list(listed)}; legal: distinct numbers")
    return Range(listed=tuple(map(float, listed)))


def _span(name: str, given: Mapping[object, object], least: float) -> Range:
    for key in given:
        if key not in ("low", "high"):
            raise ConfigError(unknown("field", key, ["low", "high"], f"source.hardware.{name}"))
    low, high = given.get("low"), given.get("high")
    if not (isinstance(low, int) and isinstance(high, int) and max(least, 1) <= low <= high):
        raise ConfigError(
            f"source.hardware.{name}: low={low!r}, high={high!r} (legal: integers, "
            f"{max(least, 1):g} <= low <= high)"
        )
    return Range(low=low, high=high)


def _usual(name: str, accelerator: Accelerator, least: int) -> Range:
    spans = {
        parameter: WIDTHS if each.is_mesh else SIZES_KB
        for each in sorted(accelerator.requirements, key=lambda each: each.is_mesh)
        for parameter in each.given.names
    }
    if name not in spans:
        raise ConfigError(
            f"source.hardware.{name} is missing: the parameter is neither the width of a mesh nor "
            "the size of a buffer, which have usual ranges (legal: numbers, or low and high)"
        )
    low = max(spans[name][0], least)
    return Range(low=low, high=max(spans[name][1], low))

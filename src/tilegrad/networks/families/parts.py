"""What networks are put together from: products, convolutions and attention, many times each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tilegrad.checks import choice
from tilegrad.errors import WorkloadError
from tilegrad.networks.operators.contraction import SECOND, Contraction, attention
from tilegrad.networks.operators.convolution import Window, convolution
from tilegrad.networks.tally import Tally
from tilegrad.workload.values import parse_positive

PREFILL, DECODE = "prefill", "decode"
PHASES = (PREFILL, DECODE)


@dataclass
class Parts:
    """Adds parts to a tally; all methods take how often (``times``) the network has the part."""

    stationary: str = SECOND
    tally: Tally = field(default_factory=Tally)
    notes: list[str] = field(default_factory=list)

    def linear(self, name: str, rows: int, widths: tuple[int, int], times: int = 1) -> None:
        """Add the product of ``rows`` of inputs with weights ``widths`` (in, out)."""
        self.tally.add([Contraction(1, rows, widths[1], widths[0]).problem(name, count=times)])

    def attention(
        self, name: str, queries: Sequence[int], keys: Sequence[int], times: int = 1
    ) -> None:
        """Add both products of attention over ``[batch, heads, length, width]`` of each."""
        parts = zip(("scores", "values"), attention(queries, keys, keys), strict=True)
        layers = [one.problem(f"{name}.{part}", self.stationary, times) for part, one in parts]
        self.tally.add(layers)
        self.leave_out("softmax", "normalises one tensor", times, _size(queries[:-1]) * keys[-2])

    def convolution(
        self,
        name: str,
        channels: tuple[int, int],
        windows: Sequence[Window],
        batch: int = 1,
        groups: int = 1,
        times: int = 1,
    ) -> None:
        """Add a convolution; ``channels`` (in, out) are those of all groups."""
        layer = convolution(name, batch, channels, groups, windows)
        self.tally.add([replace(layer, count=times)])

    def leave_out(self, operator: str, reason: str, times: int, elements: int) -> None:
        """Take an operator over so many elements each time that is not mapped."""
        self.tally.leave_out(operator, times * elements, reason, times=times)


def _size(sizes: Sequence[int]) -> int:
    found = 1
    for size in sizes:
        found *= size
    return found


@dataclass(frozen=True)
class Use:
    """How a language model is used: ``context`` tokens of each of ``batch`` sequences.

    ``prefill`` takes them all at once; ``decode`` adds the last of them to a cache of the others.
    """

    phase: str
    context: int
    batch: int

    def __post_init__(self) -> None:
        choice("workload.phase", self.phase, PHASES)
        check_sizes("workload", context=self.context, batch=self.batch)

    @property
    def length(self) -> int:
        """Tokens of a sequence that the network computes."""
        return self.context if self.phase == PREFILL else 1

    @property
    def tokens(self) -> int:
        """Tokens of all sequences that the network computes."""
        return self.batch * self.length


def check_sizes(place: str, **values: Any) -> None:
    """Refuse what is no positive integer, by the field's name."""
    for name, value in values.items():
        parse_positive(value, f"{place}.{name}")


def check_divides(place: str, whole: tuple[str, int], part: tuple[str, int]) -> None:
    """Refuse a size that another does not divide."""
    if whole[1] % part[1]:
        legal = [size for size in range(1, whole[1] + 1) if whole[1] % size == 0]
        nearest = min(legal, key=lambda size: abs(size - part[1]))
        raise WorkloadError(
            f"{place}.{part[0]}: {part[1]} does not divide {place}.{whole[0]} = {whole[1]} "
            f"(nearest that does: {nearest})"
        )

"""Whether mappings fit given hardware; if not, which level overflows and by how much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator
from tilegrad.accelerator.expression import Value
from tilegrad.cost.hardware import capacity_need, words_kept
from tilegrad.nest import Nest


@dataclass(frozen=True)
class Overflow:
    """A level that is too small: ``need`` over ``have``.

    ``what`` is ``KB`` (all instances), ``words`` (one instance; both with the tensors' ``parts``)
    or the mesh axis ``X`` or ``Y``.
    """

    level: str
    what: str
    need: float
    have: float
    parts: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        need, have, excess = map(_number, (self.need, self.have, self.need - self.have))
        if self.what in AXES:
            return (
                f"{self.level} spreads loops over {need} instances along {self.what}, "
                f"{excess} more than the mesh has ({have})"
            )
        parts = " + ".join(f"{name} {_number(size)}" for name, size in self.parts.items())
        return (
            f"{self.level} must hold {need} {self.what} ({parts}), {excess} {self.what} "
            f"more than its {have} {self.what}"
        )


@dataclass(frozen=True)
class _Limit:
    """One limit of one level: ``need [mapping]`` against ``have``, one value or ``[mapping]``."""

    level: int
    what: str
    need: Tensor
    have: Tensor


def find_overflows(
    nest: Nest, accelerator: Accelerator, hardware: Mapping[str, Value]
) -> dict[int, list[Overflow]]:
    """Return what does not fit in each mapping of ``nest`` ``[mapping]``, by index; {} if all fit.

    ``hardware`` holds every parameter, as one value or ``[mapping]``.
    """
    found: dict[int, list[Overflow]] = {}
    for limit in _limits(nest, accelerator, hardware):
        # Factors that are 1 throughout leave needs, or operations, without the mappings' dimension.
        over, _ = torch.broadcast_tensors(limit.need > limit.have, nest.macs)
        for (index,) in torch.atleast_1d(over).nonzero().tolist():
            found.setdefault(index, []).append(_overflow(limit, index, nest, accelerator))
    return found


def fits(nest: Nest, accelerator: Accelerator, hardware: Mapping[str, Value]) -> Tensor:
    """Return which mappings fit the hardware, ``[...]``."""
    fitting = torch.ones(nest.macs.shape, dtype=torch.bool, device=nest.macs.device)
    for limit in _limits(nest, accelerator, hardware):
        fitting = fitting & (limit.need <= limit.have)
    return fitting


def excess(nest: Nest, accelerator: Accelerator, hardware: Mapping[str, Value]) -> Tensor:
    """Return the log of how far each limit is exceeded, summed over the limits, ``[...]``."""
    total = torch.zeros((), dtype=nest.macs.dtype, device=nest.macs.device)
    for limit in _limits(nest, accelerator, hardware):
        total = total + (limit.need / limit.have).log().clamp(min=0)
    return total


def _limits(
    nest: Nest, accelerator: Accelerator, hardware: Mapping[str, Value]
) -> Iterator[_Limit]:
    for index, level in enumerate(accelerator.levels):
        for axis, fanout in level.fanout.items():
            extent = nest.spatial[index][AXES.index(axis)]
            yield _limit(index, axis, extent, fanout.width(hardware))
        if level.capacity_kb is not None:
            need = capacity_need(accelerator, nest, level, hardware)
            yield _limit(index, "KB", need, level.capacity_kb(hardware))
        if level.capacity_words is not None:
            yield _limit(index, "words", words_kept(nest, index), level.capacity_words)


def _limit(level: int, what: str, need: Tensor, have: Value) -> _Limit:
    limit = torch.as_tensor(have, dtype=need.dtype, device=need.device)
    return _Limit(level, what, need, limit)


def _overflow(limit: _Limit, index: int, nest: Nest, accelerator: Accelerator) -> Overflow:
    need, have = _at(limit.need, index), _at(limit.have, index)
    parts = {}
    if limit.what not in AXES:
        accesses = nest.accesses[limit.level].items()
        words = {tensor: _at(kept.tile, index) for tensor, kept in accesses}
        scale = need / sum(words.values())
        parts = {tensor: size * scale for tensor, size in words.items()}
    return Overflow(accelerator.levels[limit.level].name, limit.what, need, have, parts)


def _at(values: Tensor, index: int) -> float:
    return float(values[index] if values.dim() else values)


def _number(value: float) -> str:
    """Three decimals tell bytes apart in KB."""
    return f"{value:,.3f}".rstrip("0").rstrip(".")

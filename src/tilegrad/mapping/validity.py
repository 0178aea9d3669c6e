"""Whether an accelerator can run integer mappings as nests of their problems, with reasons.

It can run temporal loops over any dim at any level: ``Level.loops`` only says where a search puts
them. Loops lie side by side only along a mesh that can spread their dim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator
from tilegrad.mapping.loopnest import LoopNest

SPATIAL_PLACE = "spatial loop is not allowed at its level"
"""The rule that moving factors to other levels mends."""


@dataclass(frozen=True)
class Violation:
    """A broken rule: its short name, and a text with level, dim, value and what is legal."""

    rule: str
    reason: str


@dataclass(frozen=True)
class _Rule:
    """``broken [mapping, ...]`` marks where a rule is broken; ``explain`` is given the place."""

    name: str
    broken: Tensor
    explain: Callable[..., str]


def find_violations(
    mapping: LoopNest, bounds: Float64[Tensor, "*#mapping dim"], accelerator: Accelerator
) -> dict[int, list[Violation]]:
    """Return what is illegal in each mapping ``[mapping, level, dim]``, by index; {} if nothing is.

    ``bounds [mapping, dim]``, or ``[dim]`` of all, are the problems' loop bounds. Legal: factors
    are integers >= 1 whose product over the levels is the bound, or the least that the inner ones
    reach above it (the mapping is padded: the machine runs the whole product); each level's order
    is a permutation of the dims; spatial loops above 1 lie only along mesh axes that can spread the
    dim.
    """
    found: dict[int, list[Violation]] = {}
    for rule in _rules(mapping, bounds, accelerator):
        for index, *place in rule.broken.nonzero().tolist():
            violation = Violation(rule.name, rule.explain(index, *place))
            found.setdefault(index, []).append(violation)
    return found


def _rules(mapping: LoopNest, bounds: Tensor, accelerator: Accelerator) -> Iterator[_Rule]:
    yield from _factor_rules(mapping, accelerator)
    yield _place_rule(mapping, accelerator)
    yield _bounds_rule(mapping, bounds, accelerator)
    yield _order_rule(mapping, accelerator)


def _factor_rules(mapping: LoopNest, accelerator: Accelerator) -> Iterator[_Rule]:
    dims = accelerator.shape.dims

    def temporal(index: int, level: int, dim: int) -> str:
        factor = mapping.temporal[index, level, dim].item()
        where = f"{_name(accelerator, level)}: temporal factor of {dims[dim]}"
        return f"{where} is {factor:g}; legal: an integer >= 1"

    def spatial(index: int, level: int, axis: int, dim: int) -> str:
        factor = mapping.spatial[index, level, axis, dim].item()
        where = f"{_name(accelerator, level)}: spatial factor of {dims[dim]} along {AXES[axis]}"
        return f"{where} is {factor:g}; legal: an integer >= 1"

    yield _Rule("factor is not a positive integer", _not_positive(mapping.temporal), temporal)
    yield _Rule("factor is not a positive integer", _not_positive(mapping.spatial), spatial)


def _place_rule(mapping: LoopNest, accelerator: Accelerator) -> _Rule:
    dims, legal = accelerator.shape.dims, _spreadable(accelerator).to(mapping.spatial.device)

    def explain(index: int, level: int, axis: int, dim: int) -> str:
        factor = mapping.spatial[index, level, axis, dim].item()
        loop = f"{dims[dim]}{factor:g}{AXES[axis]}"
        names = f"legal along {AXES[axis]}: {_dim_names(legal[level, axis], dims)}"
        return f"{_name(accelerator, level)}: spatial loop {loop}; {names}"

    return _Rule(SPATIAL_PLACE, (mapping.spatial > 1) & ~legal, explain)


def _bounds_rule(mapping: LoopNest, bounds: Tensor, accelerator: Accelerator) -> _Rule:
    products = mapping.bounds()
    bounds = bounds.expand_as(products)

    def explain(index: int, dim: int) -> str:
        product, bound = products[index, dim].item(), bounds[index, dim].item()
        return (
            f"the factors of {accelerator.shape.dims[dim]} multiply to {product:.15g}; legal: "
            f"{bound:.15g}, or the least above it that the inner ones reach"
        )

    outermost = _outermost(mapping)
    covers = (products >= bounds) & (products / outermost * (outermost - 1) < bounds)
    return _Rule("factors do not multiply to the bound", ~covers, explain)


def _outermost(mapping: LoopNest) -> Tensor:
    """Return each dim's outermost factor above 1, ``[mapping, dim]`` (1 where there is none)."""
    found = torch.ones_like(mapping.temporal[..., 0, :])
    for spatial, temporal in zip(
        mapping.spatial.unbind(-3), mapping.temporal.unbind(-2), strict=True
    ):
        for factor in (*spatial.unbind(-2), temporal):
            found = torch.where(factor > 1, factor, found)
    return found


def _order_rule(mapping: LoopNest, accelerator: Accelerator) -> _Rule:
    count = len(accelerator.shape.dims)

    def explain(index: int, level: int) -> str:
        order = mapping.order[index, level].tolist()
        legal = f"a permutation of 0..{count - 1}"
        return f"{_name(accelerator, level)}: loop order is {order}; legal: {legal}"

    in_range = ((mapping.order >= 0) & (mapping.order < count)).all(-1)
    seen = (1 << mapping.order.clamp(0, count - 1)).sum(-1)
    complete = in_range & (seen == (1 << count) - 1)
    return _Rule("loop order is not a permutation", ~complete, explain)


def _not_positive(factors: Tensor) -> Tensor:
    return ~((factors >= 1) & (factors == factors.floor()) & factors.isfinite())


def _spreadable(accelerator: Accelerator) -> Tensor:
    """Return where loops may lie side by side, ``[level, axis, dim]``."""
    levels, dims = len(accelerator.levels), len(accelerator.shape.dims)
    legal = torch.zeros(levels, len(AXES), dims, dtype=torch.bool)
    for index, level in enumerate(accelerator.levels):
        for axis, fanout in level.fanout.items():
            legal[index, AXES.index(axis), list(fanout.dims)] = True
    return legal


def _dim_names(allowed: Tensor, dims: Sequence[str]) -> str:
    names = [name for name, legal in zip(dims, allowed.tolist(), strict=True) if legal]
    return ", ".join(names) or "none"


def _name(accelerator: Accelerator, level: int) -> str:
    return f"{accelerator.levels[level].name} (L{level})"

"""DOSA's rounding: every factor to the nearest divisor of what those before it leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from tilegrad.mapping import LoopNest, stack
from tilegrad.mapping.factors import divisors
from tilegrad.mapping.space import TEMPORAL, MapSpace
from tilegrad.search.tables import LayerTable
from tilegrad.shape import ROLES, Shape


def rounded(
    table: LayerTable, factors: Float64[Tensor, "start slot"]
) -> Float64[Tensor, "start slot"]:
    """Return the legal factors of a layer that DOSA rounds to.

    Spatial ones first, from the innermost level outwards, then the temporal ones: the factor as a
    whole number where that divides what is left of its bound, else the nearest divisor, the larger
    of two that are as near. A spread never exceeds what others leave of its mesh, which DOSA's
    hardware of any width does not ask for.
    """
    widest: Mapping[tuple[int, int], float] = table.widths[0]
    return torch.tensor(
        [_rounded(table.space, table.problem.bounds, widest, row) for row in factors.tolist()],
        dtype=torch.float64,
    ).view(len(factors), len(table.space.slots))


def _rounded(
    space: MapSpace,
    bounds: Sequence[int],
    widths: Mapping[tuple[int, int], float],
    row: Sequence[float],
) -> list[float]:
    left, room = list(bounds), dict(widths)
    found = [1.0] * len(space.slots)
    spread = [i for i, slot in enumerate(space.slots) if slot.axis != TEMPORAL]
    for place in (*spread, *(i for i in range(len(found)) if i not in spread)):
        slot = space.slots[place]
        mesh = (slot.level, slot.axis)
        most = room[mesh] if slot.axis != TEMPORAL else float(left[slot.dim])
        factor = nearest_divisor(row[place], left[slot.dim], most)
        left[slot.dim] //= factor
        if slot.axis != TEMPORAL:
            room[mesh] //= factor
        found[place] = float(factor)
    return found


def nearest_divisor(value: float, bound: int, most: float) -> int:
    """Return the divisor of ``bound`` up to ``most`` that DOSA rounds a factor to."""
    whole = max(1, round(value))
    if bound % whole == 0 and whole <= most:
        return whole
    legal = [each for each in divisors(bound) if each <= most]
    return min(legal, key=lambda each: (abs(each - value), -each))


def stationary_orders(shape: Shape) -> Int64[Tensor, "role dim"]:
    """Return DOSA's three orders of a level: those in which Weights, Inputs, Outputs stand still.

    Outermost loop first; innermost are the dims that the tensor does not depend on.
    """
    dims = range(len(shape.dims))
    orders = []
    for role in ROLES:
        still = [dim for dim in dims if dim not in shape.relevant[role]]
        inwards = [*still, *(dim for dim in dims if dim not in still)]
        orders.append(inwards[::-1])
    return torch.tensor(orders)


def designs(
    tables: Sequence[LayerTable],
    factors: Float64[Tensor, "start layer slot"],
    orders: Int64[Tensor, "start layer level dim"],
) -> LoopNest:
    """Return the designs ``[start, layer]`` of whole factors."""
    nests = []
    for layer, table in enumerate(tables):
        own = factors[:, layer, : len(table.space.slots)]
        order = orders[:, layer, :, : len(table.bounds)]
        nests.append(table.space.mapping(own, table.bounds.expand(len(own), -1), order))
    return stack(nests).each(lambda tensor: tensor.movedim(0, 1))

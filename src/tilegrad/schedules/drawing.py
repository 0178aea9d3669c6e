"""Random mappings that fit their machines.

Uniform over the mappings that fit: each candidate takes one choice per dim, uniform over those
that fit the machine when all other dims are 1, and is redrawn until the whole mapping fits. The
orders of each level's loops are uniform over the permutations. Draws are independent, so a layer
with few mappings can give one twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations

import torch
from torch import Tensor

from tilegrad.errors import InfeasibleError
from tilegrad.mapping import LoopNest
from tilegrad.mapping.space import TEMPORAL
from tilegrad.schedules.choices import LayerChoices, Legal, take
from tilegrad.schedules.identity import machine_name
from tilegrad.shape.conv import DIMS

MOST_TRIES = 2**24
"""Candidates for one mapping before it is given up."""

MOST_AT_ONCE = 2**18
"""Candidates in one batch."""

_FIRST = torch.zeros((), dtype=torch.int32)


@dataclass(frozen=True)
class Machines:
    """``count`` machines, each parameter ``[machine]``, and how many mappings each is to have."""

    hardware: Mapping[str, Tensor]
    count: int
    each: int


def draw_mappings(layer: LayerChoices, machines: Machines, random: torch.Generator) -> LoopNest:
    """Return mappings ``[machine * each, level, dim]``, those of a machine next to each other.

    Raises ``InfeasibleError`` where none is found for a machine.
    """
    picked = _pick(layer, machines, random)
    rows = machines.count * machines.each
    levels = len(layer.space.accelerator.levels)
    # One row of memory per level and dim: the analysis reads whole columns.
    temporal = torch.ones(levels, len(DIMS), rows, dtype=torch.float64)
    spatial = torch.ones(levels, 2, len(DIMS), rows, dtype=torch.float64)
    for dim, choices in enumerate(layer.dims):
        places = picked.get(dim, _FIRST)
        temporal[-1, dim] = take(choices.left, places)
        for column, index in enumerate(layer.space.slots_of[dim]):
            slot = layer.space.slots[index]
            factor = take(choices.factors[:, column], places)
            if slot.axis == TEMPORAL:
                temporal[slot.level, dim] = factor
            else:
                spatial[slot.level, slot.axis, dim] = factor
    order = draw_orders(temporal, random)
    return LoopNest(temporal.permute(2, 0, 1), spatial.permute(3, 0, 1, 2), order.permute(2, 0, 1))


def draw_orders(temporal: Tensor, random: torch.Generator) -> Tensor:
    """Return random orders ``[level, position, row]`` for ``temporal [level, dim, row]``.

    Dims without a loop come last, as in mappings that are read from text.
    """
    present = temporal > 1
    bits = (1 << torch.arange(len(DIMS))).view(1, -1, 1)
    masks = (present * bits).sum(1)
    table = settled_orders()
    ranks = torch.randint(table.shape[1], masks.shape, generator=random)
    orders = table.flatten(0, 1).index_select(0, (masks * table.shape[1] + ranks).view(-1))
    return orders.view(*masks.shape, -1).transpose(1, 2).long()


@cache
def settled_orders() -> Tensor:
    """Return ``[present dims, permutation, position]``: each permutation, absent dims moved last.

    The present dims are a bit mask; absent ones follow in ascending order.
    """
    count = len(DIMS)
    orders = torch.tensor(list(permutations(range(count))))
    masks = torch.arange(1 << count).view(-1, 1, 1)
    absent = (masks >> orders) & 1 == 0
    positions = torch.arange(count)
    keys = torch.where(absent, count + orders, positions)
    return orders.expand(len(masks), -1, -1).gather(2, keys.argsort(2)).to(torch.int8)


def _pick(layer: LayerChoices, machines: Machines, random: torch.Generator) -> dict[int, Tensor]:
    """Return for each free dim the choice of every row ``[machine * each]``."""
    legal = layer.fitting(machines.hardware, machines.count)
    rows = machines.count * machines.each
    picked = {dim: torch.zeros(rows, dtype=torch.int32) for dim in layer.free}
    pending = torch.arange(rows)
    tries, tried = 1, 0
    while len(pending):
        if tried >= MOST_TRIES:
            raise InfeasibleError(_hopeless(layer, machines, int(pending[0]), tried))
        left = []
        for part in pending.split(MOST_AT_ONCE // tries):
            drawn, fitting = _candidates(layer, legal, machines, part, tries, random)
            found = fitting.any(1)
            where = found.nonzero().flatten()
            first = where * tries + fitting[where].to(torch.int8).argmax(1)
            for dim, places in drawn.items():
                picked[dim][part[where]] = take(places.view(-1), first)
            left.append(part[~found])
        pending = torch.cat(left)
        tried += tries
        tries = min(2 * tries, MOST_AT_ONCE)
    return picked


def _candidates(
    layer: LayerChoices,
    legal: Sequence[Legal],
    machines: Machines,
    rows: Tensor,
    tries: int,
    random: torch.Generator,
) -> tuple[dict[int, Tensor], Tensor]:
    """Return choices ``[row, try]`` by dim, and which candidates fit, for the given rows."""
    machine = rows // machines.each
    drawn = {}
    for dim in legal:
        # Single precision is faster, and fine enough for few choices.
        kind = torch.float32 if len(layer.dims[dim.dim].left) < 2**12 else torch.float64
        uniform = torch.rand(len(rows), tries, generator=random, dtype=kind)
        place = (uniform * dim.count[machine].unsqueeze(1)).int()
        drawn[dim.dim] = take(dim.places, place + dim.start[machine].int().unsqueeze(1))
    hardware = {name: v[machine].unsqueeze(1) for name, v in machines.hardware.items()}
    return drawn, layer.fits(drawn, hardware).expand(len(rows), tries)


def _hopeless(layer: LayerChoices, machines: Machines, row: int, tried: int) -> str:
    machine = {name: float(v[row // machines.each]) for name, v in machines.hardware.items()}
    name = machine_name(layer.space.accelerator.name, machine)
    return (
        f"source: {name} holds (nearly) no mapping of layer {layer.name!r}: none of {tried:,} "
        "drawn ones fits (legal: larger buffers in source.hardware, or another workload)"
    )

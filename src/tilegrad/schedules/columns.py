"""Schedules as columns of whole numbers, and back: what the cache holds.

A mapping is one factor per slot of the mapspace (``Accumulator.K``, ``Scratchpad.K.X``) and one
number per level for its loop order (``Accumulator.order``); what the outermost level takes follows
from the layer's bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import permutations

import pyarrow as pa
import torch
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator, Level
from tilegrad.mapping import LoopNest
from tilegrad.mapping.space import TEMPORAL, MapSpace, Slot
from tilegrad.schedules.catalogue import Catalogue
from tilegrad.schedules.schedule_rows import ScheduleRows, empty_rows
from tilegrad.schedules.schedules import TARGETS
from tilegrad.shape.conv import DIMS

LAYER, MACHINE = "layer", "machine"
_CALLS = ("call", *(f"call.{dim}" for dim in DIMS))

_KEY_BASE = 8
"""A power of two above every dim."""


def column_names(accelerator: Accelerator, targets: Sequence[str]) -> list[str]:
    """Return the names of the columns, in order."""
    slots = MapSpace(accelerator, with_renamed=True).slots
    return [
        LAYER,
        MACHINE,
        *(_slot_name(slot, accelerator) for slot in slots),
        *(_order_name(level) for level in accelerator.levels),
        *targets,
    ]


def encode(rows: ScheduleRows, accelerator: Accelerator) -> pa.Table:
    """Return one row per schedule; the factors' product is the bound of the row's layer."""
    nests = rows.nests
    columns = {LAYER: _whole(rows.layer), MACHINE: _whole(rows.machine)}
    for slot in MapSpace(accelerator, with_renamed=True).slots:
        columns[_slot_name(slot, accelerator)] = _whole(_factor(nests, slot))
    for index, level in enumerate(accelerator.levels):
        columns[_order_name(level)] = pa.array(order_rank(nests.order[:, index]).numpy())
    for name, values in rows.targets.items():
        columns[name] = pa.array(values.numpy())
    if rows.calls is not None:
        for name, values in zip(_CALLS, rows.calls.unbind(1), strict=True):
            columns[name] = _whole(values)
    return pa.table(columns)


def decode(table: pa.Table, catalogue: Catalogue) -> ScheduleRows:
    """Return the rows of a table that ``encode`` made."""
    accelerator = catalogue.accelerator
    rows = empty_rows(accelerator, len(table), [n for n in TARGETS if n in table.column_names])
    rows.layer[:] = _tensor(table, LAYER)
    rows.machine[:] = _tensor(table, MACHINE)
    nests = rows.nests
    left = catalogue.bounds[rows.layer]
    for slot in MapSpace(accelerator, with_renamed=True).slots:
        factor = _tensor(table, _slot_name(slot, accelerator))
        _factor(nests, slot)[:] = factor
        left[:, slot.dim] /= factor
    # A padded mapping covers more than the layer.
    nests.temporal[:, -1] *= left.ceil()
    for index, level in enumerate(accelerator.levels):
        nests.order[:, index] = orders()[_tensor(table, _order_name(level)).long()]
    for name, values in rows.targets.items():
        values[:] = _tensor(table, name)
    if _CALLS[0] not in table.column_names:
        return rows
    calls = torch.stack([_tensor(table, name) for name in _CALLS], 1).double()
    return replace(rows, calls=calls)


@cache
def orders() -> Tensor:
    """Return all orders of the dims, ``[rank, position]``, in lexicographic order."""
    return torch.tensor(list(permutations(range(len(DIMS)))))


def order_rank(order: Tensor) -> Tensor:
    """Return the place in ``orders()`` of each order ``[..., position]``."""
    return _ranks()[_order_key(order)]


@cache
def _ranks() -> Tensor:
    """Return the rank of the order with each key; 16 bits hold it."""
    ranks = torch.zeros(_KEY_BASE ** (len(DIMS) - 1), dtype=torch.int16)
    ranks[_order_key(orders())] = torch.arange(len(orders()), dtype=torch.int16)
    return ranks


def _order_key(order: Tensor) -> Tensor:
    """Return the dims but the last, which follows from them, as the digits of a number."""
    key = order[..., 0]
    for position in range(1, len(DIMS) - 1):
        key = key * _KEY_BASE + order[..., position]
    return key


def _factor(nests: LoopNest, slot: Slot) -> Tensor:
    if slot.axis == TEMPORAL:
        return nests.temporal[:, slot.level, slot.dim]
    return nests.spatial[:, slot.level, slot.axis, slot.dim]


def _slot_name(slot: Slot, accelerator: Accelerator) -> str:
    axis = "" if slot.axis == TEMPORAL else f".{AXES[slot.axis]}"
    return f"{accelerator.levels[slot.level].name}.{DIMS[slot.dim]}{axis}"


def _order_name(level: Level) -> str:
    return f"{level.name}.order"


def _whole(values: Tensor) -> pa.Array:
    """Return whole numbers in 32 bits where those suffice."""
    fits = not len(values) or bool(values.max() < 2**31)
    return pa.array(values.to(torch.int32 if fits else torch.int64).numpy())


def _tensor(table: pa.Table, column: str) -> Tensor:
    return torch.from_numpy(table.column(column).to_numpy().copy())

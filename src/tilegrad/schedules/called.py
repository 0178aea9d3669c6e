"""Which of its library's calls ran a row on a Gemmini, and with which tile, where a table says so.

A table's ``call`` is ``tiled_conv`` or ``tiled_matmul``; nothing: what ``tilegrad export`` writes.
Its ``library_tile`` is a tile as those calls take it: ``tile_I=8 tile_J=4 tile_K=4`` in blocks of
the array, or ``batches=1 orows=7 ocols=7 ochs=32 krows=3 kcols=3 kchs=64``; nothing: the mapping's.
Layers of several groups (``prob.G``) are refused: tables hold convolutions of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.errors import ConfigError
from tilegrad.machines.gemmini.calls import AS_EXPORTED, CALLS, CONVOLUTION, PRODUCT, is_product
from tilegrad.machines.gemmini.given import TILES, GivenCall
from tilegrad.machines.gemmini.nests import pixel_extents, tile_nest
from tilegrad.machines.gemmini.system import System
from tilegrad.machines.gemmini.template import array_side, check_template
from tilegrad.mapping import format_shorthand
from tilegrad.shape.conv import DIMS
from tilegrad.tables.faults import Fault
from tilegrad.tables.rows import TableRows, others
from tilegrad.tables.table_layout import Quantity

CALL, TILE, GROUPS = COLUMNS = ("call", "library_tile", "prob.G")
_ONE_GROUP = ("", "nan", "1", "1.0")


class _IllegalError(Exception):
    """A column of a row, and what is wrong with it."""


def columns_of(accelerator: Accelerator) -> tuple[str, ...]:
    """Return the columns that say how rows ran on an accelerator: those above on a Gemmini."""
    try:
        check_template(accelerator, "calls")
    except ConfigError:
        return ()
    return COLUMNS


def as_run(quantity: Quantity, columns: Sequence[str], accelerator: Accelerator) -> Quantity:
    """Return a quantity with its column for warm or cold programs, where the table has those alone.

    Its name with ``_warm`` or ``_cold``; which, ``accelerator.machine.warm`` says.
    """
    if quantity.reference in columns or not columns_of(accelerator):
        return quantity
    state = "warm" if System.of(accelerator).warm else "cold"
    column = f"{quantity.reference}_{state}"
    return replace(quantity, reference=column) if column in columns else quantity


def read_calls(
    rows: TableRows, accelerator: Accelerator, faults: list[Fault]
) -> tuple[TableRows, Tensor | None]:
    """Return the rows whose calls are legal, and the calls ``[row, 1 + dim]``; None of no column.

    A call is its place in ``CALLS`` and the extents of its tile, 0 where it is the mapping's. Rows
    with a tile and no mapping get the mapping of that tile. Each of the other rows adds a fault.
    """
    if not rows.others:
        return rows, None
    calls = torch.zeros(len(rows), 1 + len(DIMS), dtype=torch.float64)
    texts, illegal = list(rows.texts), []
    for place in range(len(rows)):
        said = {name: cells[place].strip() for name, cells in rows.others.items()}
        try:
            _check_groups(said.get(GROUPS, ""))
            calls[place] = _call(rows, place, said.get(CALL, ""), said.get(TILE, ""))
        except _IllegalError as error:
            column, reason = error.args
            number = int(rows.number[place])
            faults.append(Fault(number, column, f"illegal value in {column}", reason))
            illegal.append(place)
            continue
        if said.get(TILE) and not texts[place].strip():
            texts[place] = _mapping(rows, place, calls[place], accelerator)
    found = TableRows(
        rows.number, texts, rows.bounds, rows.strides, rows.hardware, rows.references, rows.others
    )
    kept = others(len(rows), illegal)
    return found.keep(kept), calls[kept]


def _check_groups(groups: str) -> None:
    if groups not in _ONE_GROUP:
        raise _IllegalError(
            GROUPS, f"{groups} groups (legal: 1, or nothing: tables hold convolutions of one group)"
        )


def _call(rows: TableRows, place: int, call: str, tile: str) -> Tensor:
    legal = ", ".join((CONVOLUTION, PRODUCT))
    if call not in ("", CONVOLUTION, PRODUCT):
        more = (
            "; cycles of the automatic calls hold their search for a tile, which the processor runs"
            if call.endswith("_auto")
            else ""
        )
        raise _IllegalError(CALL, f"{call!r} (legal: {legal}, or nothing{more})")
    can_multiply = bool(is_product(rows.bounds[place], rows.strides[place]))
    if call == PRODUCT and not can_multiply:
        raise _IllegalError(
            CALL,
            f"{call!r} of a layer that is no matrix product (legal: {CONVOLUTION}, or nothing)",
        )
    given = GivenCall.of(tile)
    kind = None if given is None else given.name
    kinds = (CONVOLUTION, PRODUCT) if can_multiply else (CONVOLUTION,)
    if tile and (kind not in kinds or call not in ("", kind)):
        legal = " or ".join(
            " ".join(f"{name}=1" for name in names)
            for each, names in TILES.items()
            if call in ("", each) and each in kinds
        )
        raise _IllegalError(TILE, f"{tile!r} (legal: as {legal}, or nothing)")
    if given is None:
        found = torch.zeros(1 + len(DIMS), dtype=torch.float64)
        found[0] = CALLS.index(call or AS_EXPORTED)
        return found
    bounds = dict(zip(DIMS, rows.bounds[place].tolist(), strict=True))
    return given.row(bounds, float(array_side(rows.hardware["pe_dim"][place])))


def _mapping(rows: TableRows, place: int, call: Tensor, accelerator: Accelerator) -> str:
    """Return the shorthand of a call's tile; of a product's rows, the nearest that is a tile."""
    bounds = dict(zip(DIMS, rows.bounds[place].long().tolist(), strict=True))
    tile = dict(zip(DIMS, call[1:].long().tolist(), strict=True))
    if CALLS[int(call[0])] == PRODUCT:
        tile |= pixel_extents(tile["P"], bounds)
    width = int(rows.hardware["pe_dim"][place])
    return format_shorthand(tile_nest(tile, bounds, width), accelerator)

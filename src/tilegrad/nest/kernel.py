"""Runs a ``Program``, the analysis of many mappings as steps over columns, in machine code.

``BLOCK`` mappings are worked out together, each in one column of every table: few enough for the
processor's caches, enough to read each column of factors in long runs. What is 1 in the whole block
is not multiplied by: ``at [value]`` says where a value lies, at itself or where another does that
it equals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tilegrad.machine_code import compiled_in
from tilegrad.nest.fused import kernel_directory
from tilegrad.nest.program import (
    COEFFICIENT,
    LAY,
    NONE,
    NUMBER,
    ONE,
    PLUS,
    SLIDE,
    SPAN,
    SPATIAL,
    STAY,
    SUMS,
    TEMPORAL,
    TIMES,
    ZERO,
    Tables,
)

BLOCK = 256
"""Mappings that are worked out together."""


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is compiled when it is first called, and runs without the GIL."""
    return compiled_in(kernel_directory(), function, error_model="numpy")


class Given(NamedTuple):
    """Mappings: ``temporal [level * dim, row]``, ``spatial [level * axis * dim, row]``, ``order
    [row, level * position]`` and ``coefficients [row, coefficient]``, of one row where all have
    the same.
    """

    temporal: Any
    spatial: Any
    order: Any
    coefficients: Any


class Present(NamedTuple):
    """Which columns of factors are not 1 in all mappings, as ``Given`` has them."""

    temporal: Any
    spatial: Any


class Loops(NamedTuple):
    """Temporal loops above level 0, innermost first, those of bound 1 left out.

    ``bound``, ``step`` (the extent inside) and ``dim [row, loop]``; ``first [row, level]``: where
    a level's begin, and behind the last level where they end.
    """

    bound: Any
    step: Any
    dim: Any
    first: Any


@compiled
def counts(given: Given, tables: Tables, out: Any) -> bool:
    """Write the counts of all mappings into ``out [column, row]``; False: some loop is below 1."""
    every, levels = given.temporal.shape[1], len(tables.temporal)
    width = min(BLOCK, every)
    values, at = np.empty((tables.values, width)), np.arange(tables.values)
    for row in range(width):
        values[ONE, row], values[ZERO, row] = 1.0, 0.0
    most = (width, tables.temporal.size + 1)
    loops = Loops(
        np.empty(most),
        np.empty(most),
        np.empty(most, np.int64),
        np.empty((width, levels + 1), np.int64),
    )
    present = Present(_present(given.temporal), _present(given.spatial))
    for begin in range(0, every, BLOCK):
        rows = min(BLOCK, every - begin)
        if not _run(given, present, begin, rows, tables, loops, values, at):
            return False
        for column in range(len(tables.written)):
            place = at[tables.written[column]]
            for row in range(rows):
                out[column, begin + row] = values[place, row]
    return True


@compiled
def _run(
    given: Given,
    present: Present,
    begin: int,
    rows: int,
    tables: Tables,
    loops: Loops,
    values: Any,
    at: Any,
) -> bool:
    """Take all steps for one block; return whether no loop is below 1."""
    for number in range(len(tables.steps)):
        step = tables.steps[number]
        kind, to, column = step[0], step[1], step[2]
        if kind == TEMPORAL:
            used = present.temporal[column]
            _load(given.temporal, used, column, begin, rows, values, at, to)
        elif kind == SPATIAL:
            used = present.spatial[column]
            _load(given.spatial, used, column, begin, rows, values, at, to)
        elif kind == LAY:
            if not _lay(given.order, begin, rows, values, at, tables, loops):
                return False
        elif kind == STAY:
            _stay(step, loops, tables, rows, values, at)
        elif kind == SLIDE:
            _slide(step, loops, tables, rows, values, at)
        elif kind == SUMS:
            _sums(step, rows, values, at)
        elif kind == COEFFICIENT:
            _give(given.coefficients, column, begin, rows, values, to)
        else:
            _work(step, rows, values, at)
    return True


@compiled
def _give(coefficients: Any, column: int, begin: int, rows: int, values: Any, to: int) -> None:
    """Take in a coefficient of the layers."""
    alike = len(coefficients) == 1
    for row in range(rows):
        values[to, row] = coefficients[0 if alike else begin + row, column]


@compiled
def _present(factors: Any) -> Any:
    """Return which columns are not 1 throughout: looked at in the order they lie in memory."""
    every, found = factors.shape[1], np.zeros(len(factors), np.bool_)
    for column in range(len(factors)):
        for begin in range(0, every, BLOCK):
            if _is_used(factors, column, begin, min(BLOCK, every - begin)):
                found[column] = True
                break
    return found


@compiled
def _is_used(factors: Any, column: int, begin: int, rows: int) -> bool:
    """Return whether some factors of a column are not 1."""
    used = False
    for row in range(rows):
        used |= factors[column, begin + row] != 1.0
    return used


@compiled
def _load(
    factors: Any, used: bool, column: int, begin: int, rows: int, values: Any, at: Any, to: int
) -> None:
    """Take in a column of factors, unless they are 1: in all mappings, or in these."""
    used = used and _is_used(factors, column, begin, rows)
    at[to] = to if used else ONE
    if used:
        for row in range(rows):
            values[to, row] = factors[column, begin + row]


@compiled
def _work(step: Any, rows: int, values: Any, at: Any) -> None:
    """Take a step of arithmetic."""
    kind, to = step[0], step[1]
    if kind == NUMBER:
        for row in range(rows):
            values[to, row] = step[2]
        return
    one, other = at[step[2]], at[step[3]]
    if kind == TIMES:
        if _is_single(one, other, at, to):
            return
        for row in range(rows):
            values[to, row] = values[one, row] * values[other, row]
    elif kind == SPAN:
        for row in range(rows):
            values[to, row] = (values[one, row] - 1) * values[other, row]
    else:
        sign = 1.0 if kind == PLUS else -1.0
        for row in range(rows):
            values[to, row] = values[one, row] + sign * values[other, row]


@compiled
def _is_single(one: int, other: int, at: Any, to: int) -> bool:
    """Return whether a product is one of its factors, and remember which."""
    single = ONE in (one, other)
    at[to] = max(one, other) if single else to
    return single


@compiled
def _lay(
    order: Any, begin: int, rows: int, values: Any, at: Any, tables: Tables, loops: Loops
) -> bool:
    """List each mapping's loops; return whether none is below 1."""
    levels, dims = tables.temporal.shape
    fine = True
    for row in range(rows):
        loops.first[row, 0] = loops.first[row, 1] = 0
    for level in range(1, levels):
        used = 0
        for dim in range(dims):
            used += at[tables.temporal[level, dim]] != ONE
        for row in range(rows):
            place = loops.first[row, level]
            if used:
                for position in range((level + 1) * dims - 1, level * dims - 1, -1):
                    dim = order[begin + row, position]
                    bound = values[at[tables.temporal[level, dim]], row]
                    loops.bound[row, place] = bound
                    loops.step[row, place] = values[at[tables.inside[level, dim]], row]
                    loops.dim[row, place] = dim
                    fine &= bound >= 1.0
                    place += bound != 1.0
            loops.first[row, level + 1] = place
    return fine


@compiled
def _stay(step: Any, loops: Loops, tables: Tables, rows: int, values: Any, at: Any) -> None:
    """Write the words of a tile without halo that pass: see ``stationary.stationary_moves``."""
    to, tensor, tile, level = step[1], step[2], at[step[3]], step[4]
    end = loops.first.shape[1] - 1
    for row in range(rows):
        moves, still = 1.0, 1.0
        for place in range(loops.first[row, level + 1], loops.first[row, end]):
            moving = tables.relevant[tensor, loops.dim[row, place]]
            over = loops.bound[row, place] - 1
            moves *= 1 + over * (1 - still * (1 - moving))
            still *= 1 - min(over, 1.0) * moving
        values[to, row] = values[tile, row] * moves


@compiled
def _slide(step: Any, loops: Loops, tables: Tables, rows: int, values: Any, at: Any) -> None:
    """Write the words of a sliding tile that pass: see ``sliding.sliding_fills``.

    ``empty``, ``same`` and ``other`` are the words fetched by the body when it is entered in that
    state, ``leaves_...`` whether it is left in ``SAME``; ``outside``: a moving loop lies further
    in. ``measured``: the values of the tile's words, then of its extents.
    """
    to, tensor, measured, level = step[1], step[2], tables.measured[step[3]], step[4]
    end, count, skips = loops.first.shape[1] - 1, 0, tables.skips
    while count + 1 < len(measured) and measured[count + 1] != NONE:
        count += 1
    lengths, walked, innermost = np.empty(count), np.empty(count), np.empty(count)
    sliding = tables.sliding[tensor]
    for row in range(rows):
        whole = values[at[measured[0]], row]
        empty, same, other = 0.0, 0.0, 0.0
        leaves_empty, leaves_same, leaves_other = False, True, False
        outside = False
        for turn in range(count):
            lengths[turn] = values[at[measured[1 + turn]], row]
            walked[turn] = 0.0
        for place in range(loops.first[row, level + 1], loops.first[row, end]):
            dim, over = loops.dim[row, place], loops.bound[row, place] - 1
            along = loops.step[row, place] * values[at[tables.scales[tensor, dim]], row]
            new, moves, equal = _shift(
                tables.turn_of[tensor, dim],
                sliding,
                along,
                over,
                whole,
                outside,
                lengths,
                walked,
                innermost,
            )
            if skips and not moves:
                from_empty, from_same = empty, same
                then_empty, then_same = leaves_empty, leaves_same
            else:
                from_empty = new + (same if equal else other)
                from_same = new + same if equal else whole + empty
                then_empty = leaves_same if equal else leaves_other
                then_same = leaves_same if equal else leaves_empty
            from_other = (from_same if leaves_other else from_empty) if outside else whole
            leaves_other = outside and (then_same if leaves_other else then_empty)
            outside |= moves or not skips
            empty += over * (from_same if leaves_empty else from_empty)
            same += over * (from_same if leaves_same else from_empty)
            other += over * from_other
            leaves_empty = then_same if leaves_empty else then_empty
            leaves_same = then_same if leaves_same else then_empty
        values[to, row] = whole + empty


@compiled
def _shift(
    own: int,
    sliding: int,
    along: float,
    over: float,
    whole: float,
    outside: bool,
    lengths: Any,
    walked: Any,
    innermost: Any,
) -> Any:
    """Return a step's new words, whether it moves, and whether as the innermost that does.

    It goes ``along`` axis ``own``. By axis, the first ``sliding`` ones overlapping: the tile's
    extent, what the loops inside have walked, the innermost moving loop's translation.
    """
    new, moves, equal = 0.0, False, True
    for turn in range(len(lengths)):
        far = -walked[turn]
        if turn == own:
            far = along - walked[turn]
            walked[turn] += along * min(over, 1.0)
        if not outside:
            innermost[turn] = far
        equal &= far == innermost[turn]
        if far == 0:
            continue
        moves, far, length = True, abs(far), lengths[turn]
        if turn >= sliding:
            new += (1.0 if far >= length else far / length) * (whole - new)
        else:
            new = whole if new > 0 else min(far, length) * (whole / length)
    return new, moves, equal


@compiled
def _sums(step: Any, rows: int, values: Any, at: Any) -> None:
    """Write how many sums of two spread steps differ: see ``spread._distinct_sums``."""
    to, one, other = step[1], at[step[2]], at[step[3]]
    if _is_single(one, other, at, to):
        return
    for row in range(rows):
        whole_a = int(np.rint(values[at[step[4]], row]))
        whole_b = int(np.rint(values[at[step[5]], row]))
        divisor, rest = whole_a, whole_b
        while rest:
            divisor, rest = rest, divisor % rest
        divisor = max(divisor, 1)
        repeats_a = max(values[one, row] - whole_b // divisor, 0.0)
        repeats_b = max(values[other, row] - whole_a // divisor, 0.0)
        values[to, row] = values[one, row] * values[other, row] - repeats_a * repeats_b

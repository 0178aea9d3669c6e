"""What loops and spreads make of a partial mapping, compiled.

The rules of ``tilegrad.nest`` in the form that a boundary between levels needs. Of the state
machine of sliding tiles one number is left: every moving loop but those along the innermost one's
axis fetches whole tiles, so that what is fetched grows by the loop's factor, less what a step that
equals the first one (or is of length 0) leaves out.
"""

from __future__ import annotations

from typing import Any

from tilegrad.search.exact.mapper.columns import (
    BEFORE,
    BEFORE_SHARED,
    CREDIT,
    CREDIT_SHARED,
    CYCLES,
    GONE,
    GROUP,
    PAID,
    SEEN,
    SHARED,
    SLIDES,
    STANDS,
    WAITS,
    WAITS_SHARED,
    WHOLE,
    WINDOW,
)
from tilegrad.search.exact.mapper.compiled import compiled
from tilegrad.search.exact.mapper.rules import Array


@compiled
def settle(v: Array, m: Array, sliding: int, entry: int) -> None:
    """Nothing to come changes what the sliding tensor's entry has fetched."""
    if entry == 0:
        v[PAID] += v[WAITS + sliding]
        v[SHARED] += v[WAITS_SHARED + sliding]
        v[WAITS + sliding] = 0.0
        v[WAITS_SHARED + sliding] = 0.0
    else:
        v[PAID] += v[BEFORE]
        v[SHARED] += v[BEFORE_SHARED]
        v[BEFORE] = 0.0
        v[BEFORE_SHARED] = 0.0
    v[WHOLE + entry] = 0.0
    first = WINDOW + GROUP * entry
    m[first : first + GROUP] = 0


@compiled
def slide(
    v: Array, m: Array, sliding: int, entry: int, kind: int, factor: float, step: int, skips: bool
) -> None:
    """Place a loop outside what the sliding tensor's entry knows."""
    at = WINDOW + GROUP * entry
    axis = m[at + 1]
    if kind == 0 or (kind > 0 and axis != 0 and kind != axis):
        settle(v, m, sliding, entry)
        return
    whole = v[WHOLE + entry]
    left_out = 0.0
    if kind < 0 and axis == 0:
        # Nothing has moved yet: nothing is fetched again.
        left_out = 1.0
        if not skips:
            m[at] = SLIDES
    elif kind > 0 and axis == 0:
        left_out = begin(m, at, kind, step)
    elif kind > 0:
        left_out = whole * again(m, at, step, skips)
    share = 1.0 - (1.0 - 1.0 / factor) * left_out
    v[WHOLE + entry] = whole / (factor * share)
    if entry == 0:
        v[SEEN + sliding] *= share
        v[WAITS + sliding] *= share
        v[WAITS_SHARED + sliding] *= share
    else:
        v[BEFORE] *= share
        v[BEFORE_SHARED] *= share


@compiled
def begin(m: Array, at: int, axis: int, step: int) -> float:
    """Note a first loop along a sliding axis; return the share of a tile that it does not fetch.

    Where a loop that moves nothing is remembered, inside it, whole tiles are fetched.
    """
    remembered = m[at] == SLIDES
    m[at], m[at + 1], m[at + 2] = SLIDES, axis, step
    if remembered:
        return 0.0
    m[at + 3] = step
    extent = m[at + 3 + axis]
    return 1.0 - min(step, extent) / extent


@compiled
def again(m: Array, at: int, step: int, skips: bool) -> float:
    """Note one more loop along the same axis; return the share of a tile that it does not fetch."""
    first = m[at + 3]
    shift = step - m[at + 2]
    m[at + 2] += step
    if shift == 0:
        return 1.0 if skips or first == 0 else 0.0
    if shift == first:
        extent = m[at + 3 + m[at + 1]]
        return 1.0 - min(abs(shift), extent) / extent
    return 0.0


@compiled
def place(v: Array, m: Array, dim: int, factor: float, step: int, rules: Any) -> None:
    """Place a temporal loop outside a partial mapping; ``step``: how far it moves the window."""
    relevant, along, sliding, skips = rules[0], rules[1], rules[2], rules[3]
    for tensor in range(3):
        if tensor != sliding and m[STANDS] >> tensor & 1:
            if relevant[tensor, dim]:
                v[PAID] += v[WAITS + tensor]
                v[SHARED] += v[WAITS_SHARED + tensor]
                v[WAITS + tensor] = 0.0
                v[WAITS_SHARED + tensor] = 0.0
                m[STANDS] &= ~(1 << tensor)
            else:
                v[SEEN + tensor] /= factor
                v[WAITS + tensor] /= factor
                v[WAITS_SHARED + tensor] /= factor
    if sliding >= 0:
        for entry in range(2):
            if m[WINDOW + GROUP * entry] != GONE:
                slide(v, m, sliding, entry, along[dim], factor, step, skips)


@compiled
def shared_by(tensor: int, factors: Array, below: Array, rules: Any) -> float:
    """Return how many instances that loops are spread over share each word of a tensor."""
    relevant, along, sliding, coefficients = rules[0], rules[1], rules[2], rules[10]
    alike = 1.0
    for dim in range(len(factors)):
        if not relevant[tensor, dim]:
            alike *= factors[dim]
    if tensor != sliding:
        return alike
    for axis in range(1, 3):
        first, second = -1, -1
        for dim in range(len(factors)):
            if along[dim] == axis and factors[dim] > 1:
                if first < 0:
                    first = dim
                else:
                    second = dim
        if second >= 0:
            a, b = below[first] * coefficients[first], below[second] * coefficients[second]
            divisor, rest = a, b
            while rest:
                divisor, rest = rest, divisor % rest
            both = float(factors[first] * factors[second])
            again = max(0, factors[first] - b // divisor) * max(0, factors[second] - a // divisor)
            alike *= both / (both - again)
    return alike


@compiled
def spread(v: Array, factors: Array, below: Array, rules: Any) -> None:
    """Spread loops over the instances below a level; ``below``: the tile of one instance."""
    outputs = rules[4]
    total = 1.0
    for dim in range(len(factors)):
        total *= factors[dim]
    if total == 1.0:
        return
    for tensor in range(3):
        alike = shared_by(tensor, factors, below, rules)
        v[SEEN + tensor] /= alike
        v[WAITS_SHARED + tensor] /= total
        if tensor == outputs:
            v[PAID] -= v[CREDIT] * (alike - 1.0)
            v[CREDIT] *= alike
            v[SHARED] = (v[SHARED] - v[CREDIT_SHARED] * (alike - 1.0)) / total
            v[CREDIT_SHARED] *= alike / total
    v[BEFORE_SHARED] /= total
    v[CYCLES] /= total


@compiled
def no_longer(v: Array, m: Array, left: Array, extents: Any, rules: Any) -> None:
    """Settle walks that no loop to come can go on with, so that they compare with others."""
    along, sliding, coefficients = rules[1], rules[2], rules[10]
    for entry in range(2):
        at = WINDOW + GROUP * entry
        if m[at] != SLIDES or m[at + 1] == 0:
            continue
        may = False
        for dim in range(len(left)):
            if along[dim] == m[at + 1] and left[dim] > 1:
                may |= extents[dim] * coefficients[dim] <= m[at + 2] + m[at + 3]
        if not may:
            settle(v, m, sliding, entry)


@compiled
def alive(m: Array, sliding: int) -> int:
    """Return which tensors are still or sliding, as bits."""
    bits = m[STANDS]
    if sliding >= 0 and (m[WINDOW] != GONE or m[WINDOW + GROUP] != GONE):
        bits |= 1 << sliding
    return bits

"""What a level charges a partial mapping for, and the least that is still to come, compiled."""

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
    RESTS,
    SEEN,
    SHARED,
    STANDS,
    WAITS,
    WAITS_SHARED,
    WHOLE,
    WINDOW,
)
from tilegrad.search.exact.mapper.compiled import compiled
from tilegrad.search.exact.mapper.rules import Array
from tilegrad.search.exact.mapper.walk import alive


@compiled
def serve(v: Array, m: Array, level: int, rules: Any) -> None:
    """Charge a level for what it gives to the next one inwards that keeps a tensor."""
    sliding, outputs = rules[2], rules[4]
    keeps, rates, shared, tiles = rules[5], rules[6], rules[7], rules[8]
    if level == len(keeps) - 1:
        # The first partial sums are not read; further in, ``keep`` says so.
        v[PAID] -= tiles[outputs, -1] * rates[level, 0]
    for tensor in range(3):
        if not keeps[level, tensor]:
            continue
        rate = rates[level, 0] + (rates[level, 2] if tensor == outputs else 0.0)
        energy = v[SEEN + tensor] * rate
        waits = m[STANDS] >> tensor & 1
        if tensor == sliding:
            waits = m[WINDOW] != GONE
        if shared[level] > 0:
            energy *= shared[level]
            v[(WAITS_SHARED + tensor) if waits else SHARED] += energy
        else:
            v[(WAITS + tensor) if waits else PAID] += energy


@compiled
def keep(v: Array, m: Array, level: int, extent: int, outside: Any, rules: Any) -> bool:
    """Open what a level's own tiles are going to cost: a level is complete up to its loops."""
    sliding, skips, outputs = rules[2], rules[3], rules[4]
    keeps, rates, shared, tiles, windows = rules[5], rules[6], rules[7], rules[8], rules[9]
    scale = shared[level] if shared[level] > 0 else 1.0
    for tensor in range(3):
        if not keeps[level, tensor]:
            continue
        words = tiles[tensor, extent] * outside
        energy = words * rates[level, 1] * scale
        if tensor == sliding:
            if m[WINDOW] != GONE:
                if m[WINDOW + GROUP] != GONE:
                    return False
                v[BEFORE] = v[WAITS + tensor]
                v[BEFORE_SHARED] = v[WAITS_SHARED + tensor]
                v[WHOLE + 1] = v[WHOLE]
                for column in range(GROUP):
                    m[WINDOW + GROUP + column] = m[WINDOW + column]
            v[WAITS + tensor] = 0.0
            v[WAITS_SHARED + tensor] = 0.0
            v[WHOLE] = 1.0
            m[WINDOW] = RESTS
            m[WINDOW + 1 : WINDOW + 4] = 0
            m[WINDOW + 4] = windows[extent, 0]
            m[WINDOW + 5] = windows[extent, 1]
        else:
            m[STANDS] |= 1 << tensor
        v[SEEN + tensor] = words
        v[(WAITS_SHARED if shared[level] > 0 else WAITS) + tensor] += energy
        if tensor == outputs:
            credit = tiles[tensor, -1] * (rates[level, 0] + (rates[level, 1] if skips else 0.0))
            credit *= scale
            if shared[level] > 0:
                v[SHARED] -= credit
                v[CREDIT_SHARED] += credit
            else:
                v[PAID] -= credit
                v[CREDIT] += credit
    return True


@compiled
def busy(v: Array, m: Array, level: int, widths: Array, rules: Any) -> None:
    """Raise the cycles to what a level's ports need for the words that are certain."""
    sliding, outputs, keeps = rules[2], rules[4], rules[5]
    read, written = 0.0, 0.0
    for tensor in range(3):
        if keeps[level, tensor]:
            waits = m[STANDS] >> tensor & 1
            if tensor == sliding:
                waits = m[WINDOW] != GONE
            if not waits:
                if tensor == outputs:
                    written += v[SEEN + tensor]
                else:
                    read += v[SEEN + tensor]
    v[CYCLES] = max(v[CYCLES], read / widths[level, 0], written / widths[level, 1])
    v[CYCLES] = max(v[CYCLES], (read + written) / widths[level, 2])


@compiled
def settled(v: Array, stage: int, price: float, bounds: Any) -> float:
    """Return the least that a partial mapping costs, but for what its tensors still wait for."""
    spreads, reduced = bounds[0][stage], bounds[5][stage] - 1.0
    shared = v[SHARED] - v[CREDIT_SHARED] * reduced + price * v[CYCLES]
    return v[PAID] - v[CREDIT] * reduced + shared / spreads


@compiled
def awaited(v: Array, tensor: int, divided: float, stage: int, rules: Any, bounds: Any) -> float:
    """Return the least that a tensor waits for, where loops to come divide it by ``divided``."""
    sliding, outputs, tiles = rules[2], rules[4], rules[8]
    spreads, alike = bounds[0][stage], bounds[1][stage, tensor]
    read = bounds[2][stage, tensor]
    cost = v[WAITS + tensor] + v[WAITS_SHARED + tensor] / spreads
    if tensor == sliding:
        cost += v[BEFORE] + v[BEFORE_SHARED] / spreads
    cost /= divided
    seen = v[SEEN + tensor] / (divided * alike)
    if tensor != outputs:
        return cost + seen * read
    updates, first = bounds[3][stage], read * tiles[tensor, -1] * bounds[5][stage]
    return cost + max(seen * updates, seen * (updates + read) - first)


@compiled
def pending(
    v: Array, m: Array, stage: int, extent: int, price: float, rules: Any, bounds: Any
) -> float:
    """Return the least that a partial mapping costs, but for levels none of it has reached."""
    cost = settled(v, stage, price, bounds)
    bits = alive(m, rules[2])
    for tensor in range(3):
        divided = bounds[4][tensor, extent] if bits >> tensor & 1 else 1.0
        cost += awaited(v, tensor, divided, stage, rules, bounds)
    return cost


@compiled
def slid(here: int, there: int, left: Array, rules: Any) -> float:
    """Return by how much the sliding tensor is divided at most, where loops lead to an extent.

    By loops that do not move it, and by those along one axis; by loops further out too, as far as
    all that move it lie along that axis.
    """
    along = rules[1]
    irrelevant, further = 1.0, 1.0
    first, second, first_left, second_left = 1.0, 1.0, 1.0, 1.0
    plain = False
    for dim in range(left.shape[1]):
        factor = left[here, dim] / left[there, dim]
        if along[dim] < 0:
            irrelevant *= factor
            further *= left[there, dim]
        elif along[dim] == 0:
            plain |= factor > 1
        elif along[dim] == 1:
            first *= factor
            first_left *= left[there, dim]
        else:
            second *= factor
            second_left *= left[there, dim]
    if plain or (first > 1 and second > 1):
        return irrelevant * max(first, second)
    if first > 1:
        return irrelevant * first * first_left
    if second > 1:
        return irrelevant * second * second_left
    return irrelevant * further * max(first_left, second_left)


@compiled
def ahead(
    v: Array, bits: int, level: int, here: int, there: int, left: Array, rules: Any, bounds: Any
) -> float:
    """Return the least that the tensors wait for, once loops of a level lead to an extent.

    A tensor that stands still is divided by this level's loops alone where one of them moves it.
    Where no loop leaves two of them still, the innermost one decides which of them it is.
    """
    relevant, sliding, apart = rules[0], rules[2], rules[11]
    still = bounds[4]
    cost, saved = 0.0, 0.0
    for tensor in range(3):
        if not bits >> tensor & 1:
            cost += awaited(v, tensor, 1.0, 2 * level, rules, bounds)
            continue
        divided = still[tensor, here]
        if tensor == sliding:
            divided = slid(here, there, left, rules)
        else:
            for dim in range(left.shape[1]):
                if relevant[tensor, dim] and left[here, dim] != left[there, dim]:
                    divided = still[tensor, here] / still[tensor, there]
                    break
        least = awaited(v, tensor, divided, 2 * level, rules, bounds)
        if tensor == sliding or not apart:
            cost += least
        else:
            most = awaited(v, tensor, 1.0, 2 * level, rules, bounds)
            cost += most
            saved = max(saved, most - least)
    return cost - saved

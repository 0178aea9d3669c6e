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


@compiled
def serve(v: Array, m: Array, level: int, rules: Any) -> None:
    """Charge a level for what it gives to the next one inwards that keeps a tensor."""
    sliding, outputs = rules[2], rules[4]
    keeps, rates, shared = rules[5], rules[6], rules[7]
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
def pending(
    v: Array, m: Array, stage: int, extent: int, price: float, rules: Any, bounds: Any
) -> float:
    """Return the least that a partial mapping costs, but for levels none of it has reached."""
    sliding, outputs, tiles = rules[2], rules[4], rules[8]
    spreads, alike, next_plain, next_updates = bounds[0], bounds[1], bounds[2], bounds[3]
    still, reduced = bounds[4], bounds[5]
    cost = v[PAID] - v[CREDIT] * (reduced[stage] - 1.0)
    shared = v[SHARED] - v[CREDIT_SHARED] * (reduced[stage] - 1.0)
    for tensor in range(3):
        divided = 1.0
        if tensor == sliding:
            if m[WINDOW] != GONE:
                divided = still[tensor, extent]
        elif m[STANDS] >> tensor & 1:
            divided = still[tensor, extent]
        cost += v[WAITS + tensor] / divided
        shared += v[WAITS_SHARED + tensor] / divided
        seen = v[SEEN + tensor] / (divided * alike[stage, tensor])
        if tensor == outputs:
            least = seen * next_updates[stage]
            credit = next_plain[stage, tensor] * tiles[tensor, -1] * reduced[stage]
            cost += max(least, seen * (next_updates[stage] + next_plain[stage, tensor]) - credit)
        else:
            cost += seen * next_plain[stage, tensor]
    if sliding >= 0 and m[WINDOW + GROUP] != GONE:
        cost += v[BEFORE] / still[sliding, extent]
        shared += v[BEFORE_SHARED] / still[sliding, extent]
    return cost + (shared + price * v[CYCLES]) / spreads[stage]

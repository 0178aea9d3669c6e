"""What is known of a partial mapping, from the innermost level up to some boundary, by column.

Energies are of the whole layer and the whole machine, as if every loop still to come repeated what
moves; what a loop or a spread further out saves is taken off when it is placed.
"""

from __future__ import annotations

PAID = 0
"""Energy that no loop to come changes [pJ]."""

SHARED = 1
"""Energy of levels whose instances share accesses: divided by every spread to come [pJ]."""

CYCLES = 2
"""Latency, divided by every spread to come [cycles]."""

CREDIT = 3
"""Energy that partial sums save by being the first; grows with spreads of a reduction [pJ]."""

CREDIT_SHARED = 4
"""As ``CREDIT``, of levels whose instances share accesses."""

SEEN = 5
"""Three columns: words of each tensor that the next level outwards that keeps it gives."""

WAITS = 8
"""Three columns: energy of each tensor that still or sliding loops to come divide [pJ]."""

WAITS_SHARED = 11
"""Three columns: as ``WAITS``, of levels whose instances share accesses."""

WHOLE = 14
"""Two columns: share of the sliding tensor's fetches that is one whole tile (last, before)."""

BEFORE = 16
"""As ``WAITS``, of the sliding tensor at the level before the last that keeps it."""

BEFORE_SHARED = 17
"""As ``BEFORE``, of levels whose instances share accesses."""

BOUND = 18
"""Least that any completion costs."""

VALUES = 19
"""Columns of numbers."""

EXTENT, PARENT, CHOICE, STANDS = 0, 1, 2, 3
"""Place of the tile's extents, the partial mapping it continues, what was chosen, and which tensors
stand still (bits)."""

WINDOW = 4
"""First of two groups of six: state of the sliding tensor's walk, axis, how far it has walked, its
first step, and its tile's extents along both axes."""

GROUP = 6

PLACES = 16
"""Columns of whole numbers."""

GONE, RESTS, SLIDES = 0, 1, 2
"""States of a walk: all loops to come fetch anew, none has moved yet, all moved along one axis."""

"""What Gemmini's stages take for a tile: counts times cycles, and queues that let few through."""

from __future__ import annotations

import torch
from torch import Tensor

from tilegrad.machines.gemmini.bursts import REQUESTS_IN_FLIGHT

COSTS = {
    "load": {
        "count.input_requests": 0.2,
        "count.input_beats": 1.0,
        "count.input_pages": 2.0,
        "count.input_moves": 2.0,
        "count.weight_requests": 0.5,
        "count.weight_beats": 1.0,
        "count.weight_pages": 4.0,
        "count.weight_moves": 2.0,
        "count.zero_rows": 2.0,
    },
    "wait": {"count.input_moves": 20.0, "count.weight_moves": 20.0},
    "far": {"miss.far.input": 4.0, "miss.far.weight": 4.0},
    "late": {"miss.waits.input": 10.0, "miss.waits.weight": 10.0},
    "execute": {"count.computes": 0.1, "count.preloads": 0.1},
    "commands": {"count.computes": 3.0, "count.preloads": 2.0},
    "station": {"computes x height": 3.5, "count.computes": 0.5, "count.executed_rows": 0.5},
    "store": {
        "count.store_requests": 3.0,
        "count.stores": 1.0,
        "count.store_pages": 3.0,
        "miss.store": 8.0,
        "miss.far.store": 4.0,
    },
    "fetched": {"miss.input": 4.0, "miss.weight": 4.0},
    "written": {"miss.store": 8.0},
}
"""What a stage's time is made of, and the cycles of each before training.

``wait`` are the cycles until a load command's first bytes come, ``late`` those that it waits longer
where they come from memory, ``far`` what lines take longer that a cache of the memory has not;
``commands`` are the cycles in which the array's commands are handed to it, ``station`` those that
they spend in the reservation station; ``fetched`` and ``written`` are the memory's own cycles.
"""

WRITTEN = {"count.input_beats": "count.input_rows", "count.weight_beats": "count.weight_rows"}
"""Beats arrive while rows are written, one a cycle: whichever are more count as beats."""

TIMES = {"computes x height": ("count.computes", "hardware.pe_dim")}
"""Products of columns: sums run through the whole array, whose height is its side."""

COUNTED = tuple(dict.fromkeys(name for costs in COSTS.values() for name in costs))
"""What costs time in any stage."""

_READ = [name for counted in COUNTED for name in TIMES.get(counted, (counted,))]
COLUMNS = tuple(dict.fromkeys([*_READ, *WRITTEN.values(), "miss.tiles"]))
"""The columns that the stages' times are made of."""

STAGES = ("issue", "load", "execute", "store", "memory")
"""The array executes while its commands are handed to it: whichever takes longer. The memory moves
lines for loads and stores, one after another."""
CONTROLLERS = slice(1, 4)
"""The stages that a tile passes in turn."""

PAIRS_WAITING = 8
"""The reservation station has 16 entries for the array, a compute and its preload take two."""

_HAND_OVER = 8.0
"""How suddenly commands take over from rows: nearly a maximum, as every block waits for either."""
_IN_TURN = 4.0
"""How suddenly waiting takes over from moving."""
_SLACK = 1e-3
"""Of sizes that are whole but for rounding."""


def loading(moving: Tensor, waiting: Tensor, log_side: Tensor) -> Tensor:
    """Return the cycles ``[..., member]`` of a tile's loads.

    ``moving`` are those in which bytes are moved, ``waiting`` those until each command's first ones
    come, on arrays of ``exp(log_side)`` rows. The larger the array, the fewer commands the DMA
    works on at once, as many as have rows for all requests in flight, and one: from a side of 32
    on, one after another.
    """
    at_once = torch.floor(REQUESTS_IN_FLIGHT / log_side.exp() + _SLACK) + 1
    return _longer(moving, (moving + waiting) / at_once, _IN_TURN)


def executing(rows: Tensor, commands: Tensor, waiting: Tensor) -> Tensor:
    """Return the cycles ``[..., member]`` of a tile in the array.

    Of its ``rows``, of its ``commands``, or of all that its commands wait in the reservation
    station (``waiting``, one after another), whichever are most: a large array with short blocks of
    rows has room for too few of them.
    """
    handed = _longer(commands, waiting / PAIRS_WAITING, _HAND_OVER)
    return _longer(rows, handed, _HAND_OVER)


def _longer(one: Tensor, other: Tensor, sharpness: float) -> Tensor:
    return ((one.log() * sharpness).logaddexp(other.log() * sharpness) / sharpness).exp()

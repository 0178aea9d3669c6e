"""Mappings as Gemmini's library runs them: commands, rows, requests and cache lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import log
from typing import ClassVar

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.expression import Value
from tilegrad.cost.footprint import Footprint
from tilegrad.machines.gemmini.bursts import bursts
from tilegrad.machines.gemmini.cache import misses
from tilegrad.machines.gemmini.calls import DEPTHWISE_ORDER, GROUPED_ORDER
from tilegrad.machines.gemmini.conv import axes, conv_counts
from tilegrad.machines.gemmini.counts import UNITS
from tilegrad.machines.gemmini.matmul import matmul_counts
from tilegrad.machines.gemmini.system import System
from tilegrad.machines.gemmini.template import PARAMETERS, array_side, check_template
from tilegrad.machines.gemmini.tiling import Tiling
from tilegrad.mapping import LoopNest
from tilegrad.mapping.batch import broadcast_shapes
from tilegrad.predictors.features.column import Column
from tilegrad.predictors.features.repeated import of_distinct
from tilegrad.schedules.schedules import PUBLISHED
from tilegrad.shape.conv import C, K, N, P, Q

_NONE = 1e-6
"""Stands for a count of nothing, whose log there is not."""

_STATED = ("issue_cycles", "start_cycles")
_FACTS = {
    "cache_kb": "KB",
    "memory_latency": "cycles",
    "memory_cache_kb": "KB",
    "warm": "0 or 1",
    "bus_bytes": "bytes",
    "bias": "0 or 1",
}
_LINES, _TENSORS = ("miss", "miss.far"), ("input", "weight", "store")
_BURSTS = {
    "miss.tiles": "tiles",
    "miss.waits.input": "waits for memory",
    "miss.waits.weight": "waits for memory",
}


@dataclass(frozen=True)
class Commands:
    """Logs of what the program of a mapping asks of Gemmini's RTL.

    The library sees the tile of a mapping, nothing else, and orders the loops over tiles: it blocks
    the tile by the array itself, whatever spatial factors the mapping has. Every tile loads its
    inputs and weights; sums stay in the accumulator and are stored once. Rules and addresses follow
    gemmini-rocc-tests (tiled_conv, tiled_matmul) and Gemmini's loop unrollers, load, store and
    execute controllers and DMA.

    - ``count.*``: totals over all tiles;
    - ``miss.*``: lines that the last-level cache fetches, ``miss.far.*`` those that a cache of the
      memory has not, ``miss.tiles`` the tiles that fetch any; ``miss.waits.*`` how often their
      load commands wait for memory, as many waits as take as long as these do at the published
      machine's latency;
    - ``occupancy.*``: a tile's share of half of a memory, the other half takes the next tile;
    - ``machine.*``: what the machine's description states, else as good as nothing; last of all
      what the counts follow from, so that a predictor knows its own machine from another;
    - ``matmul``: 1 for a matrix product, 0 for a convolution.

    The array is the next power of two of ``pe_dim``, as the generator builds it. Programs are those
    that ``tilegrad export`` writes, or, where ``published``, those of the published measurements,
    or those of given ``calls`` (``Schedules.calls``).
    """

    published: bool = False
    calls: Tensor | None = None

    name: ClassVar[str] = "commands"
    limits: ClassVar[tuple[str, ...]] = ("occupancy.scratchpad", "occupancy.accumulator")
    doubling: ClassVar[tuple[str, ...]] = PARAMETERS[:1]

    def schema(self, accelerator: Accelerator) -> tuple[Column, ...]:
        """Return the columns; ``ConfigError`` for an accelerator that is no Gemmini."""
        check_template(accelerator, f"features={self.name}")
        System.of(accelerator)
        return (
            Column("matmul", "0 or 1", logged=False),
            Column("hardware.pe_dim", "rows and columns"),
            *(Column(f"count.{name}", unit) for name, unit in UNITS.items()),
            *(
                Column(f"{name}.{tensor}", "lines of 64 bytes")
                for name in _LINES
                for tensor in _TENSORS
            ),
            *(Column(name, unit) for name, unit in _BURSTS.items()),
            *(Column(f"occupancy.{name}", "share") for name in ("scratchpad", "accumulator")),
            *(Column(f"machine.{name}", "cycles") for name in _STATED),
            *(Column(f"machine.{name}", unit, logged=False) for name, unit in _FACTS.items()),
        )

    def measured_by(self, programs: str, calls: Tensor | None = None) -> Commands:
        """Return the features of programs of that kind; see ``FeatureSet.measured_by``."""
        return Commands(programs == PUBLISHED, calls)

    def unread(
        self,
        nests: LoopNest,
        accelerator: Accelerator,  # noqa: ARG002
    ) -> Tensor:
        """Return none: the library sees a tile, whatever loops make it."""
        return torch.zeros(nests.batch_shape, dtype=torch.bool, device=nests.temporal.device)

    def context(
        self,
        nests: LoopNest,
        bounds: Tensor,
        strides: Tensor,
        accelerator: Accelerator,  # noqa: ARG002
    ) -> Tensor:
        """Return the tiling."""
        return Tiling.of(nests, bounds, strides, self.published, self.calls).packed()

    def columns(
        self,
        sums: Footprint,  # noqa: ARG002
        context: Tensor,
        accelerator: Accelerator,
        hardware: Mapping[str, Value],
    ) -> Tensor:
        """Return the features ``[..., column]``."""
        rows, scratchpad, accumulator = asked(context, hardware)
        count = partial(counted, System.of(accelerator))
        # A search asks for one mapping on many sizes of the memories.
        often = rows.dim() == 2 and not rows.requires_grad
        *found, operands, results = (of_distinct(count, rows) if often else count(rows)).unbind(-1)
        held = occupied(operands, results, scratchpad, accumulator)
        return torch.stack([*found, *held, *stated(System.of(accelerator), found[0])], -1)


def asked(context: Tensor, hardware: Mapping[str, Value]) -> tuple[Tensor, Tensor, Tensor]:
    """Return rows ``[..., column]`` of a tiling and the array's side, and the memories' sizes [KB].

    ``[...]`` each, of scratchpad and accumulator.
    """
    sizes = [torch.as_tensor(hardware[name], dtype=context.dtype) for name in PARAMETERS]
    batch = broadcast_shapes(context.shape[:-1], *(size.shape for size in sizes))
    array, scratchpad, accumulator = (size.expand(batch) for size in sizes)
    mesh = array_side(array.detach())
    rows = torch.cat([context.expand(*batch, -1), mesh.unsqueeze(-1)], -1)
    return rows, scratchpad, accumulator


def occupied(
    operands: Tensor, results: Tensor, scratchpad: Tensor, accumulator: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the logs of how much of each memory [KB] a tile's bytes take, ``[...]``."""
    return (operands / (scratchpad * 1024)).log(), (results / (accumulator * 1024)).log()


def stated(system: System, like: Tensor) -> list[Tensor]:
    """Return the columns of what the machine's description states, ``[...]`` each."""
    cycles = [log(max(float(getattr(system, name)), _NONE)) for name in _STATED]
    facts = [*cycles, *(float(getattr(system, name)) for name in _FACTS)]
    return [torch.full_like(like, fact) for fact in facts]


def counted(system: System, rows: Tensor) -> Tensor:
    """Return the columns that no memory's size changes, and the bytes of a tile in each of both.

    ``rows [..., column]`` hold a tiling and the array's side. Layers of several groups have a loop
    more, and are counted by themselves.
    """
    grouped = Tiling.unpacked(rows[..., :-1]).groups[..., 0] > 1
    if not grouped.any() or grouped.all():
        return _counted(system, rows)
    parts = [_counted(system, rows[mask]) for mask in (grouped, ~grouped)]
    found = parts[0].new_empty(*rows.shape[:-1], parts[0].shape[-1])
    for mask, part in zip((grouped, ~grouped), parts, strict=True):
        found = found.masked_scatter(mask.unsqueeze(-1), part)
    return found


def _counted(system: System, rows: Tensor) -> Tensor:
    tiling, mesh = Tiling.unpacked(rows[..., :-1]), rows[..., -1]
    matmul = tiling.is_matmul
    product, extents = matmul_counts(tiling, mesh, system)
    # A search asks for one layer at a time: what is all of one kind is counted once.
    counts = product
    if not matmul.all():
        counts = conv_counts(tiling, mesh, system)
        counts = product.where(matmul, counts) if matmul.any() else counts
    fetched = misses(system, *_program(tiling, matmul, extents))
    together = bursts(counts, *(fetched[..., place].exp() for place in range(2)))
    waits = [together[..., 1:] + system.log_wait]
    fetched = torch.cat([fetched, together[..., :1], *waits], -1)
    logs = [getattr(counts, name).clamp(min=_NONE).log() for name in UNITS]
    first = [matmul.to(rows.dtype), mesh.log()]
    held = [counts.scratchpad_bytes, counts.accumulator_bytes]
    return torch.stack([*first, *logs, *fetched.unbind(-1), *held], -1)


def _program(tiling: Tiling, matmul: Tensor, extents: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Return tile, bounds, order, strides and kind as the program has them.

    Where there are several groups, they are a dim more.
    """
    wide, high = axes(tiling)
    rows, _ = tiling.rows()
    one = torch.ones_like(rows)
    tile, bounds = list(tiling.tile.unbind(-1)), list(tiling.bounds.unbind(-1))
    for dim, size in ((P, extents[0]), (Q, one), (C, extents[1]), (K, extents[2]), (N, one)):
        tile[dim] = torch.where(matmul, size, tile[dim])
    for dim, product, convolution in ((P, rows, wide.outputs), (Q, one, high.outputs)):
        bounds[dim] = torch.where(matmul, product, convolution)
    bounds[N] = torch.where(matmul, one, bounds[N])
    order, groups = tiling.order, tiling.groups[..., 0]
    if bool((groups > 1).any()):
        tile, bounds = [*tile, one], [*bounds, groups]
        by_channel, by_group = (order.new_tensor(o) for o in (DEPTHWISE_ORDER, GROUPED_ORDER))
        order = torch.where(tiling.is_depthwise.unsqueeze(-1), by_channel, by_group)
    return torch.stack(tile, -1), torch.stack(bounds, -1), order, tiling.strides, matmul

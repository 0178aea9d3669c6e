"""Lines that the last-level cache has to fetch: reuse of tensors by the loops around the tiles.

Every tile loads its inputs and weights anew, so what saves DRAM is the cache. A loop that comes
back to lines finds them there if what was touched since fits; otherwise it fetches them again.
Rows whose pitch has a large power of two in it share few of the cache's sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log, log2

import torch
from torch import Tensor

from tilegrad.machines.gemmini.calls import G
from tilegrad.machines.gemmini.packets import LINE
from tilegrad.machines.gemmini.rounding import power_of_two
from tilegrad.machines.gemmini.system import System
from tilegrad.shape.conv import DIMS, C, K, N, P, Q, R, S

WAYS = 8
"""Lines that share a set."""
SHARPNESS = 3.0
"""How suddenly reuse ends as what is touched outgrows the cache."""

LEAST = 1e-3
"""Stands for no line, whose log there is not."""

_REDUCES = tuple(dim in (R, S, C) for dim in range(len(DIMS) + 1))


def misses(
    system: System, tile: Tensor, bounds: Tensor, order: Tensor, strides: Tensor, matmul: Tensor
) -> Tensor:
    """Return the logs of lines fetched, ``[..., line]``: of inputs, weights and outputs.

    First those that the last-level cache has not, then those of them that a cache of the memory has
    neither. ``tile`` and ``bounds [..., dim]`` are those of the program, ``order`` outermost first;
    the groups are a dim of their own where there are several.
    """
    inwards = order.flip(-1)
    extents = _extents(tile, bounds, inwards)
    lines = _lines(extents, bounds, strides, matmul)
    logs = lines.log()
    iterations = (bounds / tile).gather(-1, inwards).clamp(min=1).log()
    growth = torch.minimum((logs[..., 1:] - logs[..., :-1]).clamp(min=0), iterations)
    # Outputs stay in the accumulator while sums go on and are stored once.
    reduces = torch.tensor(_REDUCES, device=inwards.device)[inwards]
    lasting = torch.stack([torch.zeros_like(reduces), torch.zeros_like(reduces), reduces])

    def fetched(kb: float) -> Tensor:
        size = kb * 1024
        before = lines[..., :-1]
        conflicting = _conflicting(lines, extents, bounds, size / WAYS)[..., :-1]
        pressure = (conflicting + before.sum(0) - before) * LINE / size
        # The logistic function of the log, to the power of the sharpness.
        kept = 1 / (1 + pressure**SHARPNESS)
        factors = iterations + kept * (growth - iterations)
        cold = logs[..., 0] + factors.masked_fill(lasting, 0).sum(-1)
        # Whatever has been touched before is in the cache still, unless all of it outgrows it.
        first = torch.minimum(logs[..., -1], cold).exp()
        everything = lines[..., -1].sum(0) * LINE / size
        there = system.warm * first / (1 + everything**SHARPNESS)
        return (cold.exp() - there).clamp(min=LEAST).log().movedim(0, -1)

    near, beyond = fetched(system.cache_kb), system.memory_cache_kb
    # What a smaller cache of the memory's holds is not asked of it.
    larger = fetched(beyond) if beyond > system.cache_kb else near
    far = larger if beyond else torch.full_like(near, log(LEAST))
    return torch.cat([near, far], -1)


def _extents(tile: Tensor, bounds: Tensor, inwards: Tensor) -> list[Tensor]:
    """Return what is touched of each dim ``[..., state]``.

    States are before the innermost loop, after it, ..., after all.
    """
    dims = tile.shape[-1]
    states = torch.arange(dims + 1, device=inwards.device)
    # Where each dim's loop is: the inverse of the order.
    place = torch.empty_like(inwards).scatter_(-1, inwards, states[:-1].expand_as(inwards))
    return [
        torch.where(place[..., dim, None] < states, bounds[..., dim, None], tile[..., dim, None])
        for dim in range(dims)
    ]


def _lines(extents: Sequence[Tensor], bounds: Tensor, strides: Tensor, matmul: Tensor) -> Tensor:
    """Return the lines of the tensors' parts, ``[tensor, ..., state]``."""
    runs = _in_a_row(extents, bounds)
    stride_w, stride_h = strides[..., 0].unsqueeze(-1), strides[..., 1].unsqueeze(-1)
    plain = matmul.unsqueeze(-1)
    wide = extents[P] * stride_w + extents[R] - 1
    high = extents[Q] * stride_h + extents[S] - 1
    wide = torch.where(plain, extents[P], wide)
    high = high.masked_fill(plain, 1)
    pixels = extents[P] * extents[Q] * extents[N]
    taps = extents[R] * extents[S] * extents[C]
    inputs = extents[N] * high * _runs(wide, *runs[0])
    weights = _runs(taps, *runs[1])
    outputs = _runs(pixels, *runs[2])
    if len(extents) > G:
        # Those of a group lie in one piece, the next group's behind it.
        whole = bounds[..., [R, S, C, K]].prod(-1).unsqueeze(-1)
        weights = extents[G] * weights
        weights = torch.minimum(weights, (extents[G] * whole / LINE).clamp(min=1))
    return torch.stack([inputs, weights, outputs])


def _in_a_row(extents: Sequence[Tensor], bounds: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Return the bytes that lie in a row of each tensor, and how far the rows are apart.

    ``[..., state]`` and ``[..., 1]``. The channels and the filters of groups lie side by side.
    """
    (channels, c_pitch), (filters, k_pitch) = (
        (extents[dim], bounds[..., dim].unsqueeze(-1)) for dim in (C, K)
    )
    if len(extents) <= G:
        return [(channels, c_pitch), (filters, k_pitch), (filters, k_pitch)]
    held, groups = extents[G], bounds[..., G].unsqueeze(-1)
    return [
        (channels * held, c_pitch * groups),
        (filters, k_pitch),
        (filters * held, k_pitch * groups),
    ]


def _runs(rows: Tensor, length: Tensor, pitch: Tensor) -> Tensor:
    """Return the lines of ``rows`` runs of ``length`` bytes that begin ``pitch`` bytes apart."""
    apart = rows * (length / LINE).clamp(min=1)
    return torch.minimum(apart, (rows * pitch / LINE).clamp(min=1))


def _conflicting(lines: Tensor, extents: Sequence[Tensor], bounds: Tensor, span: float) -> Tensor:
    """Return how many lines it would take to fill the sets that the tensors' rows fall on.

    Addresses ``span`` bytes apart fall on the same set.
    """
    shares = [_share_of_sets(*row, span) for row in _in_a_row(extents, bounds)]
    return lines / torch.stack(torch.broadcast_tensors(*shares))


def _share_of_sets(length: Tensor, pitch: Tensor, span: float) -> Tensor:
    shared = power_of_two(pitch, pitch, 2 ** floor(log2(span))).to(length.dtype)
    return (length.clamp(min=LINE) / shared.clamp(min=LINE)).clamp(max=1)

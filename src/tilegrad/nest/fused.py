"""The analysis of many mappings in machine code, where it pays: no gradient is asked for.

``tilegrad.nest.analysis`` defines the rules and does all else. Results agree to the last bit, so
which of the two works a batch out makes no difference but in time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.machine_code import code_directory, is_kept
from tilegrad.mapping.batch import broadcast_shapes
from tilegrad.mapping.loopnest import LoopNest
from tilegrad.nest.program import ONE, ZERO, Program
from tilegrad.shape import Shape

KEPT_PAYS, COMPILING_PAYS = 500_000, 5_000_000
"""Mappings analysed by tensor operations after which machine code is loaded, or compiled.

Loading takes as long as analysing some hundred thousands of them, compiling some millions: a run
that needs few is not made to wait for either.
"""

Array = np.ndarray


@dataclass
class _Use:
    """Whether machine code is ready, and how many mappings have been analysed without it."""

    kernel: Callable[..., bool] | None = None
    seen: int = 0
    loading: Lock = field(default_factory=Lock)


_use = _Use()


def prepare() -> None:
    """Have machine code loaded, or compiled, for the next batch, however few mappings come."""
    _use.seen = COMPILING_PAYS


def columns(mapping: LoopNest, strides: Tensor, accelerator: Accelerator) -> list[Tensor] | None:
    """Return the columns ``[...]`` of a ``Program``; None: tensor operations are to do the work."""
    parts = (mapping.temporal, mapping.spatial, mapping.order, strides)
    if not all(map(is_plain, parts)):
        return None
    batch = broadcast_shapes(mapping.batch_shape, strides.shape[:-1])
    if not prod(batch):
        return None
    if _use.kernel is not None:
        return _run(_use.kernel, mapping, strides, batch, accelerator)
    _use.seen += prod(batch)
    pays = _use.seen >= (KEPT_PAYS if _is_compiled() else COMPILING_PAYS)
    # Other threads go on without it.
    if not pays or not _use.loading.acquire(blocking=False):
        return None
    try:
        from tilegrad.nest.kernel import counts

        found = _run(counts, mapping, strides, batch, accelerator)
        _use.kernel = counts
        return found
    finally:
        _use.loading.release()


def is_used() -> bool:
    """Return whether machine code is loaded, and counts from now on."""
    return _use.kernel is not None


def kernel_directory() -> str:
    """Return where the machine code is kept between runs; empty: nowhere."""
    return code_directory(Path(__file__).parent, ("kernel", "program"))


@lru_cache(maxsize=1)
def _is_compiled() -> bool:
    return is_kept(kernel_directory(), "kernel.counts-*.nbc")


def is_plain(tensor: Tensor) -> bool:
    """Return whether a tensor has values here (a fake one has none) and takes no gradient."""
    follows = tensor.requires_grad and torch.is_grad_enabled()
    return type(tensor) is Tensor and tensor.device.type == "cpu" and not follows


def _run(
    kernel: Callable[..., bool],
    mapping: LoopNest,
    strides: Tensor,
    batch: Sequence[int],
    accelerator: Accelerator,
) -> list[Tensor] | None:
    """Have the kernel count; None where a loop is below 1, which relaxed ones can be."""
    keeps = tuple(level.keeps for level in accelerator.levels)
    program = _program(accelerator.shape, keeps, accelerator.counting == "timeloop")
    out = mapping.temporal.new_empty(len(program.written), prod(batch))
    from tilegrad.nest.kernel import Given

    given = Given(
        _by_column(mapping.temporal, batch, 2),
        _by_column(mapping.spatial, batch, 3),
        _by_row(mapping.order, batch, 2),
        # Mostly of one layer: not copied for each of its mappings.
        _by_row(strides, strides.shape[:-1] if prod(strides.shape[:-1]) == 1 else batch, 1),
    )
    if not kernel(given, program.tables, out.numpy()):
        return None
    one = mapping.temporal.new_ones(())
    values = {ONE: one, ZERO: torch.zeros_like(one)}
    values.update(zip(program.written, out.view(-1, *batch).unbind(0), strict=True))
    return [values[value] for value in program.found]


def _by_row(tensor: Tensor, batch: Sequence[int], own: int) -> Array:
    """Return ``[row, value]`` of a tensor with so many dimensions of its ``own``."""
    whole = tensor.expand(*batch, *tensor.shape[-own:])
    return whole.reshape(prod(batch), prod(whole.shape[-own:])).contiguous().numpy()


def _by_column(tensor: Tensor, batch: Sequence[int], own: int) -> Array:
    """Return ``[value, row]``: without a copy where that is how a map space lays factors out."""
    whole = tensor.expand(*batch, *tensor.shape[-own:])
    values = whole.movedim(tuple(range(-own, 0)), tuple(range(own)))
    return values.reshape(prod(whole.shape[-own:]), prod(batch)).contiguous().numpy()


@lru_cache(maxsize=64)
def _program(shape: Shape, keeps: tuple[tuple[str, ...], ...], first_free: bool) -> Program:
    return Program(shape, keeps, first_free)

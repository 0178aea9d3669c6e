"""The analysis of a workload's layers together, whatever their shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.mapping.loopnest import LoopNest
from tilegrad.mapping.validity import Violation, find_violations
from tilegrad.nest.analysis import Accesses, Nest, analyse
from tilegrad.workload.workload import Stack, order_of

Join = Callable[[Sequence[Tensor]], Tensor]
"""Puts figures ``[..., layer]`` of the stacks' layers into the workload's order."""


def analyse_layers(nests: LoopNest, stacks: Sequence[Stack], accelerator: Accelerator) -> Nest:
    """Analyse mappings ``[..., layer, level, dim]`` of a workload's layers.

    Shapes of fewer dims than the tensors have (``Mapping.over``) use the first ones. Tensors of the
    result are ``[..., layer]``.
    """
    if len(stacks) == 1:
        return analyse(nests, stacks[0].strides, accelerator.running(stacks[0].shape))
    batch = nests.batch_shape
    parts = [
        analyse(layers_of(nests, stack), stack.strides, accelerator.running(stack.shape))
        for stack in stacks
    ]
    return _joined(parts, joiner(stacks, batch[:-1]))


def find_layer_violations(
    nests: LoopNest, stacks: Sequence[Stack], accelerator: Accelerator
) -> dict[int, list[Violation]]:
    """Return what is illegal in the mapping of each layer ``[layer]``, by its place in order."""
    found: dict[int, list[Violation]] = {}
    for stack in stacks:
        own, there = layers_of(nests, stack), accelerator.running(stack.shape)
        for place, broken in find_violations(own, stack.bounds, there).items():
            found[stack.places[place]] = broken
    return dict(sorted(found.items()))


def layers_of(nests: LoopNest, stack: Stack) -> LoopNest:
    """Return the mappings ``[..., layer]`` of one stack's layers, over its dims."""
    batch, places = nests.batch_shape, torch.tensor(stack.places)
    return LoopNest(
        nests.temporal.expand(*batch, -1, -1).index_select(-3, places),
        nests.spatial.expand(*batch, -1, -1, -1).index_select(-4, places),
        nests.order.expand(*batch, -1, -1).index_select(-3, places),
    ).over(len(stack.shape.dims))


def joiner(stacks: Sequence[Stack], batch: Sequence[int]) -> Join:
    """Return what joins the stacks' figures, which broadcast to ``[*batch, layer]``."""
    order = torch.tensor(order_of(stacks))

    def join(parts: Sequence[Tensor]) -> Tensor:
        pairs = zip(parts, stacks, strict=True)
        whole = [part.expand(*batch, len(stack.places)) for part, stack in pairs]
        return torch.cat(whole, -1).index_select(-1, order)

    return join


def _joined(parts: Sequence[Nest], join: Join) -> Nest:
    def accesses(level: int, tensor: str) -> Accesses:
        each = [part.accesses[level][tensor] for part in parts]
        kinds = ("tile", "reads", "fills", "updates")
        return Accesses(*(join([getattr(kept, kind) for kept in each]) for kind in kinds))

    levels = range(len(parts[0].accesses))
    return Nest(
        tuple({tensor: accesses(at, tensor) for tensor in parts[0].accesses[at]} for at in levels),
        tuple(join([part.instances[at] for part in parts]) for at in levels),
        tuple(
            tuple(join(axis) for axis in zip(*(part.spatial[at] for part in parts), strict=True))
            for at in levels
        ),
        join([part.steps for part in parts]),
        join([part.macs for part in parts]),
    )

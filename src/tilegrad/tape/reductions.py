"""What figures tensor operations make of many: sums and the largest, over dimensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tilegrad.tape.errors import NotRecordableError
from tilegrad.tape.graph import OTHER, PER_ORDER
from tilegrad.tape.operations import ADD, MAXIMUM

if TYPE_CHECKING:
    from tilegrad.tape.graph import Graph
    from tilegrad.tape.recorder import Recorder


def summed(recorder: Recorder, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Return sums over dimensions, those of orders in the order in which tensors add them.

    The dimension that lies closest in memory is summed first.
    """
    del func, kwargs
    tensor, dims, keep = args[0], args[1] if len(args) > 1 else None, len(args) > 2 and args[2]
    reduced = [dim % tensor.dim() for dim in (dims or range(tensor.dim()))]
    reduced.sort(key=lambda dim: (tensor.shape[dim] > 1, -tensor.stride(dim)))
    contiguous = tensor.stride(reduced[-1]) == 1

    def total(figures: Tensor) -> int:
        if figures.dim() > 1:
            return added([total(each) for each in figures], None)
        return added(figures.tolist(), contiguous)

    def added(figures: list[int], side_by_side: bool | None) -> int:
        if len(figures) == 2 and (figures[1] == OTHER or figures[0] == figures[1]):
            return recorder.order(side_by_side).added(recorder.graph, figures[0])
        return _joined(recorder.graph, ADD, figures)

    return _reduced(recorder.figures(tensor), reduced, bool(keep), total)


def largest(recorder: Recorder, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Return the largest figures over dimensions."""
    del func, kwargs
    tensor, dims, keep = args[0], args[1] if len(args) > 1 else (), len(args) > 2 and args[2]
    reduced = [dim % tensor.dim() for dim in (dims or range(tensor.dim()))]

    def most(figures: Tensor) -> int:
        return _joined(recorder.graph, MAXIMUM, figures.flatten().tolist())

    return _reduced(recorder.figures(tensor), reduced, bool(keep), most)


def _joined(graph: Graph, kind: int, figures: Sequence[int]) -> int:
    """Return what an operation makes of figures of one order, one after another."""
    if OTHER in figures and any(graph.stages[f] == PER_ORDER and f != OTHER for f in figures):
        raise NotRecordableError("figures of several orders, and others, taken together")
    return reduce(lambda one, other: graph.emit(kind, one, other), figures)


def _reduced(figures: Tensor, dims: list[int], keep: bool, rule: Callable[[Tensor], int]) -> Tensor:
    kept = [dim for dim in range(figures.dim()) if dim not in dims]
    lines = figures.permute(*kept, *dims).reshape(-1, *[figures.shape[dim] for dim in dims])
    found = torch.tensor([rule(line) for line in lines], dtype=torch.int64)
    sizes = [figures.shape[dim] for dim in kept]
    if keep:
        sizes = [1 if dim in dims else size for dim, size in enumerate(figures.shape)]
    return found.view(sizes)

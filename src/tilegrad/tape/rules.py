"""What figures each tensor operation makes of those it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tilegrad.tape.errors import NotRecordableError
from tilegrad.tape.graph import ONE, OTHER, ZERO
from tilegrad.tape.operations import (
    ABSOLUTE,
    ADD,
    AT_MOST,
    DIVIDE,
    DIVISOR,
    EQUAL,
    FLOOR,
    LESS,
    MAXIMUM,
    MINIMUM,
    MULTIPLY,
    ROUND,
    SIGN,
    SUBTRACT,
    UNEQUAL,
    WHERE,
)
from tilegrad.tape.reductions import largest, summed

if TYPE_CHECKING:
    from tilegrad.tape.graph import Graph
    from tilegrad.tape.recorder import Recorder

Rule = Callable[["Recorder", Any, tuple[Any, ...], dict[str, Any]], Tensor]

CONTROL = frozenset({"any", "_local_scalar_dense", "zeros_like", "ones_like", "full_like"}) | {
    f"new_{what}" for what in ("zeros", "ones", "full", "empty", "empty_strided")
}
"""Operations whose results are not tracked: they take shapes, or decide what is done at all."""


def each(rule: Callable[..., int], takes: int) -> Rule:
    """Return the rule of an operation on elements of its first ``takes`` arguments.

    ``rule`` takes the graph, the figures and the operation's other arguments.
    """

    def apply(recorder: Recorder, func: Any, args: tuple[Any, ...], kwargs: Any) -> Tensor:
        del func
        figures = [_figures(recorder, value) for value in args[:takes]]
        spread = torch.broadcast_tensors(*figures)
        rows = zip(*(one.flatten().tolist() for one in spread), strict=True)
        found = [rule(recorder.graph, *row, *args[takes:], **kwargs) for row in rows]
        return torch.tensor(found, dtype=torch.int64).view(spread[0].shape)

    return apply


def plain(kind: int, swapped: bool = False) -> Rule:
    """Return the rule of an operation of two figures that has an instruction of its own."""

    def rule(graph: Graph, one: int, other: int, alpha: float = 1) -> int:
        if alpha != 1:
            raise NotRecordableError("a factor beside the operands")
        return graph.emit(kind, other, one) if swapped else graph.emit(kind, one, other)

    return each(rule, 2)


def moved(recorder: Recorder, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Return figures put elsewhere, as the operation puts values; others are zero."""
    kwargs = {name: value for name, value in kwargs.items() if name in ("dim", "memory_format")}
    found: Tensor = func(*_replaced(recorder, args), **kwargs)
    return found


def converted(
    recorder: Recorder, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Tensor:
    """Return the same figures: whole numbers stay so, true is 1."""
    del func, kwargs
    return recorder.figures(args[0]).clone()


def written(recorder: Recorder, func: Any, args: tuple[Any, ...], kwargs: Any) -> Tensor:
    """Return the figures of what is written into a tensor."""
    del func, kwargs
    return _figures(recorder, args[1]).expand(args[0].shape)


def gathered(
    recorder: Recorder, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Tensor:
    """Return the figures that indices along a dimension say."""
    del func, kwargs
    values, dim, index = recorder.figures(args[0]), args[1], recorder.figures(args[2])
    found = index.clone()
    for place in _places(index):
        line = [slice(one, one + 1) for one in place]
        line[dim] = slice(None)
        candidates = values[tuple(line)].flatten().tolist()
        found[place] = recorder.graph.picked(int(index[place]), candidates)
    return found


def scattered(
    recorder: Recorder, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Tensor:
    """Return figures with others added where indices along a dimension say, one after another."""
    del func, kwargs
    found, dim, graph = recorder.figures(args[0]).clone(), args[1], recorder.graph
    index, added = recorder.figures(args[2]), recorder.figures(args[3])
    for place in _places(index):
        for target in range(found.shape[dim]):
            there = graph.emit(EQUAL, int(index[place]), graph.constant(target))
            into = (*place[:dim], target, *place[dim + 1 :])
            before = int(found[into])
            after = graph.emit(ADD, before, int(added[place]))
            found[into] = graph.emit(WHERE, there, after, before)
    return found


def _places(tensor: Tensor) -> list[tuple[int, ...]]:
    return [tuple(place) for place in torch.ones_like(tensor).nonzero().tolist()]


def _figures(recorder: Recorder, value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return recorder.figures(value)
    return torch.tensor(recorder.graph.constant(value))


def _replaced(recorder: Recorder, value: Any) -> Any:
    if isinstance(value, Tensor):
        return recorder.figures(value)
    if isinstance(value, list | tuple):
        return type(value)(_replaced(recorder, one) for one in value)
    return value


def _both(graph: Graph, one: int, other: int) -> int:
    return one if one == other else graph.emit(MULTIPLY, one, other)


def _either(graph: Graph, one: int, other: int) -> int:
    if ZERO in (one, other):
        return max(one, other)
    return ONE if ONE in (one, other) else graph.emit(MAXIMUM, one, other)


def _one_only(graph: Graph, one: int, other: int) -> int:
    if one == other and one != OTHER:
        return ZERO
    return max(one, other) if ZERO in (one, other) else graph.emit(UNEQUAL, one, other)


def _clamped(graph: Graph, one: int, min: float | None = None, max: float | None = None) -> int:
    if min is not None:
        one = graph.emit(MAXIMUM, one, graph.constant(min))
    return one if max is None else graph.emit(MINIMUM, one, graph.constant(max))


def _divided(graph: Graph, one: int, other: int, rounding_mode: str | None = None) -> int:
    found = graph.emit(DIVIDE, one, other)
    if rounding_mode not in (None, "floor"):
        raise NotRecordableError(f"a division rounded by {rounding_mode}")
    return graph.emit(FLOOR, found) if rounding_mode else found


_both_true, _either_true, _unlike = each(_both, 2), each(_either, 2), each(_one_only, 2)
_not = each(lambda graph, one: graph.emit(EQUAL, one, ZERO), 1)

RULES: dict[str, Rule] = {
    "add": plain(ADD),
    "sub": plain(SUBTRACT),
    "rsub": plain(SUBTRACT, swapped=True),
    "mul": plain(MULTIPLY),
    "minimum": plain(MINIMUM),
    "maximum": plain(MAXIMUM),
    "gcd": plain(DIVISOR),
    "eq": plain(EQUAL),
    "ne": plain(UNEQUAL),
    "lt": plain(LESS),
    "le": plain(AT_MOST),
    "gt": plain(LESS, swapped=True),
    "ge": plain(AT_MOST, swapped=True),
    "div": each(_divided, 2),
    "floor_divide": each(lambda graph, a, b: _divided(graph, a, b, "floor"), 2),
    "neg": each(lambda graph, one: graph.emit(MULTIPLY, one, graph.constant(-1)), 1),
    "abs": each(lambda graph, one: graph.emit(ABSOLUTE, one), 1),
    "sgn": each(lambda graph, one: graph.emit(SIGN, one), 1),
    "round": each(lambda graph, one: graph.emit(ROUND, one), 1),
    "clamp": each(_clamped, 1),
    "where": each(lambda graph, *three: graph.emit(WHERE, *three), 3),
    "masked_fill": each(lambda graph, a, there, b: graph.emit(WHERE, there, b, a), 3),
    "bitwise_and": _both_true,
    "logical_and": _both_true,
    "bitwise_or": _either_true,
    "logical_or": _either_true,
    "bitwise_xor": _unlike,
    "bitwise_not": _not,
    "logical_not": _not,
    "stack": moved,
    "cat": moved,
    "flip": moved,
    "clone": moved,
    "index_select": moved,
    "select_backward": moved,
    "slice_backward": moved,
    "_to_copy": converted,
    "copy": written,
    "sum": summed,
    "amax": largest,
    "gather": gathered,
    "scatter_add": scattered,
}

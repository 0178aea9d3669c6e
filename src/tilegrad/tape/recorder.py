"""Follows tensor operations on a sample, element by element."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from tilegrad.tape.errors import NotRecordableError
from tilegrad.tape.graph import Graph
from tilegrad.tape.summing import Order


class Recorder(TorchDispatchMode):
    """While it is entered, the figures of ``graph`` in every tensor that comes of tracked ones.

    Figures belong to places in storages, so that views and operations in place need no rules. Sums
    over the sample's orders add those of as many ``orders`` as there are: see ``rules.summed``.
    """

    def __init__(self, graph: Graph, orders: int) -> None:
        super().__init__()
        self.graph, self.orders = graph, orders
        self._figures: dict[int, Tensor] = {}
        self._alive: list[Any] = []
        self._sums: dict[bool | None, Order] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Return that nothing here is kept from being compiled, whose import takes seconds."""
        return False

    def track(self, tensor: Tensor, figures: Tensor) -> None:
        """Say which ``figures [...]`` a tensor ``[...]`` holds."""
        storage = tensor.untyped_storage()
        self._alive.append(tensor)
        key = storage._cdata
        if key not in self._figures:
            whole = tensor.as_strided((storage.nbytes() // tensor.element_size(),), (1,), 0)
            self._figures[key] = self._constants(whole)
        _there(self._figures[key], tensor).copy_(figures)

    def figures(self, tensor: Tensor) -> Tensor:
        """Return the figures that a tensor ``[...]`` holds, ``[...]``."""
        if self._is_tracked(tensor):
            return _there(self._figures[tensor.untyped_storage()._cdata], tensor)
        return self._constants(tensor)

    def order(self, contiguous: bool | None) -> Order:
        """Return in which order tensor operations add up the orders' figures."""
        if contiguous not in self._sums:
            self._sums[contiguous] = Order.of(self.orders, contiguous)
        return self._sums[contiguous]

    def _is_tracked(self, tensor: Tensor) -> bool:
        return tensor.untyped_storage()._cdata in self._figures

    def _constants(self, tensor: Tensor) -> Tensor:
        numbers = [self.graph.constant(value) for value in tensor.detach().flatten().tolist()]
        return torch.tensor(numbers, dtype=torch.int64).view(tensor.shape)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Do an operation and note down what figures it makes."""
        from tilegrad.tape.rules import CONTROL, RULES

        given = [each for each in _tensors(args) if self._is_tracked(each)]
        name = func.overloadpacket.__name__
        found = None
        if given and name not in CONTROL and not _is_view(func):
            if name.removesuffix("_") not in RULES:
                raise NotRecordableError(f"{func} has no rule")
            try:
                found = RULES[name.removesuffix("_")](self, func, args, kwargs or {})
            except TypeError as error:
                raise NotRecordableError(f"{func} with arguments that its rule lacks") from error
        out = func(*args, **(kwargs or {}))
        # A storage that is given back may return as another's: all are kept until the end.
        self._alive.append((out, args))
        if found is not None:
            self.track(out, found)
        return out


def _is_view(func: Any) -> bool:
    """Return whether an operation's results lie in the storage of what it takes, unchanged."""
    returns = func._schema.returns
    return bool(returns) and returns[0].alias_info is not None and not func._schema.is_mutable


def _tensors(values: Any) -> Iterator[Tensor]:
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _tensors(value)


def _there(figures: Tensor, tensor: Tensor) -> Tensor:
    return figures.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())

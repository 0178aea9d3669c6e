"""One call of an operator in an exported graph: its arguments by name, and tensors' sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor
from torch.fx import Node

from tilegrad.errors import WorkloadError
from tilegrad.workload.values import parse_positive

MOVES = ("view", "reshape", "_unsafe_view", "transpose", "t", "permute", "mT", "expand", "clone",
         "contiguous", "to", "_to_copy", "type_as", "detach", "alias", "unsqueeze", "squeeze",
         "flatten", "unflatten", "lift_fresh_copy")  # fmt: skip
"""Operators whose result is their first argument's, in another form."""


@dataclass(frozen=True)
class Scope:
    """What a graph and those that it calls share: weights, inputs of called graphs, symbols.

    ``outer``: what each input of a called graph is where it is called.
    """

    weights: frozenset[Node]
    outer: Mapping[Node, Any]
    symbols: Mapping[str, int]


@dataclass(frozen=True)
class Call:
    """A node of a graph that calls an operator."""

    node: Node
    scope: Scope

    @property
    def operator(self) -> str:
        """The operator as errors and reports name it: ``aten.linear``."""
        return operator_name(self.node)

    @property
    def kind(self) -> str:
        """The operator without its namespace, and whether it works in place or not."""
        return self.told.rpartition(".")[2]

    @property
    def told(self) -> str:
        """The operator, and that in place as the one that is not."""
        name = self.operator
        return name if name.endswith("__") else name.removesuffix("_")

    @property
    def layer(self) -> str:
        """The path of the module that calls it; at the top, the node's own name."""
        stack = list((self.node.meta.get("nn_module_stack") or {}).values())
        path = str(stack[-1][0]) if stack else ""
        return path.removeprefix("L['self'].").replace("['", "").replace("']", "") or self.node.name

    @cached_property
    def arguments(self) -> dict[str, Any]:
        """The arguments by the names of the operator's schema; defaults where none are given."""
        fields = self.node.target._schema.arguments  # type: ignore[union-attr]
        named = {field.name: field.default_value for field in fields}
        named |= dict(zip((field.name for field in fields), self.node.args, strict=False))
        return {**named, **self.node.kwargs}

    def shape(self, argument: str) -> tuple[int, ...]:
        """Return the sizes of a tensor argument."""
        return self.sizes(self.arguments[argument])

    @property
    def result(self) -> tuple[int, ...]:
        """The sizes of the result, of several the first's."""
        return self.sizes(self.node)

    @property
    def has_result(self) -> bool:
        """Whether a tensor comes of it."""
        return _first_tensor(self.node.meta.get("val")) is not None

    def sizes(self, node: Any) -> tuple[int, ...]:
        """Return a tensor's sizes; ``WorkloadError`` names a symbol that has no value."""
        value = _first_tensor(node.meta.get("val"))
        if value is None:
            raise WorkloadError(
                f"operator {self.operator} at {self.layer}: the shape of {node.name} is not known; "
                "legal: a graph that torch.export made"
            )
        place = f"operator {self.operator} at {self.layer}, dim"
        return tuple(
            self._whole(size, f"{place} {at} of {node.name}") for at, size in enumerate(value.shape)
        )

    def _whole(self, size: Any, place: str) -> int:
        if isinstance(size, int):
            return size
        expression = size.node.expr
        found = {str(symbol): symbol for symbol in expression.free_symbols}
        for name in found:
            if name not in self.scope.symbols:
                raise WorkloadError(
                    f"{place}: its size is the symbol {name}; give workload.symbols.{name}=NUMBER"
                )
        value = expression.subs({symbol: self.scope.symbols[n] for n, symbol in found.items()})
        return parse_positive(int(value), f"{place}, with workload.symbols")

    def is_weight(self, argument: str) -> bool:
        """Return whether a tensor argument is a parameter or buffer, in whatever form."""
        return self.source(self.arguments[argument]) in self.scope.weights

    def source(self, node: Any) -> Any:
        """Return the node that a tensor is another form of."""
        while isinstance(node, Node):
            if node in self.scope.outer:
                node = self.scope.outer[node]
            elif node.op == "call_function" and Call(node, self.scope).kind in MOVES and node.args:
                node = node.args[0]
            else:
                break
        return node


def operator_name(node: Node) -> str:
    """Return the name of the operator that a node calls, without its overload."""
    packet = getattr(node.target, "overloadpacket", None)
    if packet is not None:
        return str(packet)
    return getattr(node.target, "__name__", str(node.target))


def _first_tensor(value: Any) -> Tensor | None:
    if isinstance(value, (tuple, list)):
        return next((each for each in map(_first_tensor, value) if each is not None), None)
    return value if isinstance(value, Tensor) else None

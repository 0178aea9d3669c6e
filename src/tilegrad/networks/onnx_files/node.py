"""One node of an ONNX graph: attributes by name, and the sizes of its tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tilegrad.errors import WorkloadError
from tilegrad.extras import required
from tilegrad.networks.onnx_files.model import STANDARD

MOVES = ("Transpose", "Reshape", "Cast", "Identity", "Unsqueeze", "Squeeze", "Flatten",
         "DequantizeLinear", "QuantizeLinear")  # fmt: skip
"""Operators whose result is their first input's, in another form."""


class Graph:
    """What is known of the tensors of a graph by their names."""

    def __init__(self, graph: Any) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.weights = {each.name for each in graph.initializer}
        self.weights |= {each.values.name for each in graph.sparse_initializer}
        self.producers = {name: node for node in graph.node for name in node.output if name}
        for value in (*graph.input, *graph.value_info, *graph.output):
            dims = value.type.tensor_type.shape.dim
            known = value.type.tensor_type.HasField("shape")
            if known and all(dim.HasField("dim_value") for dim in dims):
                self.shapes[value.name] = tuple(dim.dim_value for dim in dims)
        self.shapes |= {each.name: tuple(each.dims) for each in graph.initializer}

    def source(self, name: str) -> str:
        """Return the tensor that another is a form of."""
        while (node := self.producers.get(name)) is not None and node.op_type in MOVES:
            name = node.input[0]
        return name

    def is_weight(self, name: str) -> bool:
        """Return whether a tensor is an initializer or a constant, in whatever form."""
        source = self.source(name)
        producer = self.producers.get(source)
        return source in self.weights or (producer is not None and producer.op_type == "Constant")


@dataclass(frozen=True)
class Call:
    """A node, and the graph that it is of."""

    node: Any
    graph: Graph

    @property
    def operator(self) -> str:
        """The operator as errors and reports name it; ONNX's own without a domain."""
        domain = self.node.domain
        return self.node.op_type if domain in STANDARD else f"{domain}.{self.node.op_type}"

    @property
    def layer(self) -> str:
        """The module that the weight or the node is named after, or else the result."""
        for name in self.node.input[1:]:
            source = self.graph.source(name)
            if source in self.graph.weights and source.endswith(".weight"):
                return source.removesuffix(".weight")
        name = self.node.name.strip("/").replace("/", ".")
        return name or next(filter(None, self.node.output), self.operator)

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """The attributes by name; bytes as texts."""
        helper = required("onnx.helper", "onnx", "workload=onnx")
        found = {each.name: helper.get_attribute_value(each) for each in self.node.attribute}
        return {k: v.decode() if isinstance(v, bytes) else v for k, v in found.items()}

    def along(self, name: str, axes: int, default: int = 1) -> list[int]:
        """Return an attribute for each axis."""
        values: Sequence[int] = self.attributes.get(name) or [default] * axes
        return [int(each) for each in values]

    def shape(self, place: int) -> tuple[int, ...]:
        """Return the sizes of an input."""
        return self.sizes(self.node.input[place])

    def has(self, place: int) -> bool:
        """Return whether an optional input is given."""
        return place < len(self.node.input) and bool(self.node.input[place])

    @property
    def result(self) -> tuple[int, ...]:
        """The sizes of the first output."""
        return self.sizes(self.node.output[0])

    def sizes(self, name: str) -> tuple[int, ...]:
        """Return a tensor's sizes; ``WorkloadError`` where shape inference did not find them."""
        if name not in self.graph.shapes:
            raise WorkloadError(
                f"operator {self.operator} at {self.layer}: the shape of {name} is not known; "
                "legal: a model whose shapes onnx can infer (its Reshape and Slice take constants, "
                "and it says the shapes of what operators of other packages make)"
            )
        return self.graph.shapes[name]

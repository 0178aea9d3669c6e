"""An exported graph walked node by node: each becomes layers, or is left out with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from torch._ops import HigherOrderOperator, OpOverload
from torch.export import ExportedProgram
from torch.fx import GraphModule, Node

from tilegrad.errors import WorkloadError
from tilegrad.fingerprint.digests import digest
from tilegrad.networks.exported.call import Call, Scope, operator_name
from tilegrad.networks.exported.left_out import is_known, reason
from tilegrad.networks.exported.operators import HANDLERS, Choices
from tilegrad.networks.operators.einsum import NoProductError
from tilegrad.networks.reasons import SKIPPED
from tilegrad.networks.tally import Tally

TRANSPARENT = ("wrap_with_set_grad_enabled", "wrap_with_autocast")
"""Operators that run the graph that they are given, once."""


@dataclass(frozen=True)
class Walk:
    """Walks graphs into a tally; ``skip``: operators of other packages to leave out."""

    name: str
    choices: Choices = field(default_factory=Choices)
    skip: Sequence[str] = ()
    tally: Tally = field(default_factory=Tally)

    def program(self, program: ExportedProgram, symbols: Mapping[str, int]) -> str:
        """Walk an exported program; return a digest of its graphs."""
        signature = program.graph_signature
        kept = {*signature.inputs_to_parameters, *signature.inputs_to_buffers}
        kept |= {*signature.inputs_to_lifted_tensor_constants}
        inputs = [node for node in program.graph.nodes if node.op == "placeholder"]
        weights = frozenset(node for node in inputs if node.name in kept)
        known = {str(symbol) for symbol in program.range_constraints}
        for symbol in symbols:
            if symbol not in known:
                legal = ", ".join(sorted(known)) or "none: every size is a number"
                raise WorkloadError(
                    f"workload.symbols.{symbol}: {self.name} has no such symbol (legal: {legal})"
                )
        text: list[object] = []
        self._graph(program.graph_module, Scope(weights, {}, dict(symbols)), text)
        return digest(text)

    def _graph(self, module: GraphModule, scope: Scope, text: list[object]) -> None:
        for node in module.graph.nodes:
            value = str(getattr(node.meta.get("val"), "shape", ""))
            text.append([node.name, node.op, operator_name(node), str(node.args), value])
            if node.op == "call_function":
                self._call(Call(node, scope), module, text)

    def _call(self, call: Call, module: GraphModule, text: list[object]) -> None:
        if call.operator in TRANSPARENT:
            self._called(call, module, text)
        elif isinstance(call.node.target, HigherOrderOperator):
            raise WorkloadError(
                f"operator {call.operator} at {call.layer} of {self.name} runs graphs of its own, "
                "how often depends on values; legal: a network without such control flow"
            )
        elif not isinstance(call.node.target, OpOverload):
            # Python's arithmetic on sizes that are symbols: no tensor comes of it.
            return
        elif call.operator in self.skip:
            self.tally.leave_out(call.operator, _elements(call), SKIPPED, None)
        elif is_known(call):
            self._own(call)
        else:
            raise WorkloadError(
                f"operator {call.operator} at {call.layer} of {self.name} is not known; legal: "
                f"PyTorch's own (aten), or workload.skip=[{call.operator}], which leaves it out "
                "and says so"
            )

    def _own(self, call: Call) -> None:
        handler = HANDLERS.get(call.kind)
        try:
            if handler is not None:
                self.tally.add(handler(call, self.choices))
                return
            why, macs = reason(call)
        except NoProductError as error:
            why, macs = f"einsum {call.arguments['equation']}: {error}", error.macs
        self.tally.leave_out(call.told, _elements(call), why, macs)

    def _called(self, call: Call, module: GraphModule, text: list[object]) -> None:
        """Walk the graph that an operator runs, its inputs being the operator's arguments."""
        place = next(at for at, each in enumerate(call.node.args) if _graph_of(each, module))
        inner = _graph_of(call.node.args[place], module)
        assert inner is not None
        inputs = [node for node in inner.graph.nodes if node.op == "placeholder"]
        outer = dict(zip(inputs, call.node.args[place + 1 :], strict=False))
        scope = replace(call.scope, outer={**call.scope.outer, **outer})
        self._graph(inner, scope, text)


def _graph_of(argument: Any, module: GraphModule) -> GraphModule | None:
    if isinstance(argument, Node) and argument.op == "get_attr":
        found = getattr(module, str(argument.target), None)
        return found if isinstance(found, GraphModule) else None
    return None


def _elements(call: Call) -> int:
    """Return how many elements the result has; 0 where it is no tensor."""
    return prod(call.result) if call.has_result else 0

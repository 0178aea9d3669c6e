"""``workload=onnx``: an ONNX file's operators as layers, or left out with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

from tilegrad.checks import choice
from tilegrad.errors import WorkloadError
from tilegrad.extras import required
from tilegrad.networks.onnx_files.left_out import reason
from tilegrad.networks.onnx_files.model import STANDARD, load_model
from tilegrad.networks.onnx_files.node import Call, Graph
from tilegrad.networks.onnx_files.operators import HANDLERS
from tilegrad.networks.operators.contraction import SECOND, STATIONARY
from tilegrad.networks.operators.einsum import NoProductError
from tilegrad.networks.reasons import SKIPPED
from tilegrad.networks.tally import Tally
from tilegrad.workload import Workload

CONTROL_FLOW = ("If", "Loop", "Scan", "SequenceMap")


def load_onnx(
    model: str,
    name: str | None = None,
    symbols: Mapping[str, int] | None = None,
    stationary: str = SECOND,
    skip: Sequence[str] = (),
) -> Workload:
    """Return the layers of an ONNX file: what ``conf/workload/onnx.yaml`` describes.

    Raises ``WorkloadError`` naming the file, and the operator or the field.
    """
    choice("workload.stationary", stationary, STATIONARY)
    sizes = {str(symbol): size for symbol, size in (symbols or {}).items()}
    loaded = load_model(Path(model), sizes)
    tally, graph = Tally(), Graph(loaded.graph)
    for node in loaded.graph.node:
        try:
            _take(Call(node, graph), stationary, tuple(skip), tally)
        except WorkloadError as error:
            raise WorkloadError(f"{model}: {error}") from None
    return tally.workload(name or Path(model).stem)


def _take(call: Call, stationary: str, skip: Sequence[str], tally: Tally) -> None:
    operator = call.operator
    if operator in skip:
        tally.leave_out(operator, _elements(call), SKIPPED, None)
    elif not _is_own(call):
        raise WorkloadError(
            f"operator {operator} at {call.layer} is not known; legal: ONNX's own operators, or "
            f"workload.skip=[{operator}], which leaves it out and says so"
        )
    elif operator in CONTROL_FLOW:
        raise WorkloadError(
            f"operator {operator} at {call.layer} runs graphs of its own, how often depends on "
            "values; legal: a network without such control flow"
        )
    else:
        _own(call, stationary, tally)


def _is_own(call: Call) -> bool:
    """Return whether ONNX itself has the operator."""
    definitions = required("onnx.defs", "onnx", "workload=onnx")
    return call.node.domain in STANDARD and bool(definitions.has(call.node.op_type))


def _own(call: Call, stationary: str, tally: Tally) -> None:
    handler = HANDLERS.get(call.operator)
    why: str
    macs: int | None
    try:
        if handler is not None:
            tally.add(handler(call, stationary))
            return
        why, macs = reason(call.operator)
    except NoProductError as error:
        why, macs = f"einsum {call.attributes['equation']}: {error}", error.macs
    tally.leave_out(call.operator, _elements(call), why, macs)


def _elements(call: Call) -> int:
    """Return how many elements the first result has; 0 where its shape is not known."""
    shapes: dict[str, Any] = call.graph.shapes
    return prod(shapes.get(call.node.output[0], (0,)))

"""ONNX's operators as layers: one function per kind of operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from tilegrad.networks.onnx_files.node import Call
from tilegrad.networks.operators.contraction import (
    FIRST,
    SECOND,
    Contraction,
    attention,
    matrix_product,
)
from tilegrad.networks.operators.convolution import (
    TransposedAxis,
    Window,
    convolution,
    transposed_convolution,
)
from tilegrad.networks.operators.einsum import einsum
from tilegrad.workload import Problem

Handler = Callable[[Call, str], list[Problem]]
"""Makes layers of a call, and of which operand of two activations is held as the weights."""


def _convolution(call: Call, _: str, weight: int = 1) -> list[Problem]:
    inputs, outputs = call.shape(0), call.result
    axes = len(outputs) - 2
    given = (outputs[2:], call.shape(weight)[2:], call.along("strides", axes))
    windows = [Window(*each) for each in zip(*given, call.along("dilations", axes), strict=True)]
    groups = int(call.attributes.get("group", 1))
    return [convolution(call.layer, inputs[0], (inputs[1], outputs[1]), groups, windows)]


def _transposed(call: Call, _: str) -> list[Problem]:
    inputs, outputs = call.shape(0), call.result
    axes = len(outputs) - 2
    taps, strides = call.shape(1)[2:], call.along("strides", axes)
    dilations, pads = call.along("dilations", axes), call.along("pads", 2 * axes, 0)[:axes]
    if call.attributes.get("auto_pad", "NOTSET") != "NOTSET" or "output_shape" in call.attributes:
        upper = call.attributes.get("auto_pad") == "SAME_UPPER"
        more = call.along("output_padding", axes, 0)
        pads = [
            _before(s * (i - 1) + m + (t - 1) * d + 1 - o, upper)
            for s, i, m, t, d, o in zip(
                strides, inputs[2:], more, taps, dilations, outputs[2:], strict=True
            )
        ]
    sizes = zip(outputs[2:], taps, strides, pads, dilations, strict=True)
    groups, channels = int(call.attributes.get("group", 1)), (inputs[1], outputs[1])
    each = [TransposedAxis(*axis) for axis in sizes]
    return transposed_convolution(call.layer, inputs[0], channels, groups, each)


def _before(total: int, upper: bool) -> int:
    """Return how much of an axis's padding comes before it, as ONNX's ConvTranspose splits it."""
    half = max(total, 0) // 2
    return half if upper else max(total, 0) - half


def _product(call: Call, stationary: str, second: int = 1) -> list[Problem]:
    repeats = _repeats(call, call.node.input[second])
    found = matrix_product(call.shape(0), call.shape(second), repeats)
    return [found.problem(call.layer, _held(call, stationary, second))]


def _held(call: Call, stationary: str, second: int = 1) -> str:
    """Return which operand is the weights: a parameter, or else the one that is chosen."""
    weights = [call.graph.is_weight(call.node.input[place]) for place in (0, second)]
    return stationary if weights[0] == weights[1] else (FIRST, SECOND)[weights[1]]


def _gemm(call: Call, stationary: str) -> list[Problem]:
    rows, depth = call.shape(0)[:: -1 if call.attributes.get("transA") else 1]
    columns = call.shape(1)[0 if call.attributes.get("transB") else 1]
    return [Contraction(1, rows, columns, depth).problem(call.layer, _held(call, stationary))]


def _einsum(call: Call, stationary: str) -> list[Problem]:
    shapes = [call.sizes(name) for name in call.node.input]
    found = einsum(str(call.attributes["equation"]), shapes)
    return [found.problem(call.layer, _held(call, stationary))]


def _attention(call: Call, stationary: str) -> list[Problem]:
    query, key, value = (_heads(call, place) for place in range(3))
    if call.has(4):
        past = call.shape(4)[-2]
        key, value = ((*each[:-2], each[-2] + past, each[-1]) for each in (key, value))
    parts = zip(("scores", "values"), attention(query, key, value), strict=True)
    return [each.problem(f"{call.layer}.{part}", stationary) for part, each in parts]


def _heads(call: Call, place: int) -> tuple[int, ...]:
    """Return ``[batch, heads, length, width]`` of an input that may hold all heads side by side."""
    shape = call.shape(place)
    if len(shape) == 4:
        return shape
    heads = int(call.attributes["kv_num_heads" if place else "q_num_heads"])
    return shape[0], heads, shape[1], shape[2] // heads


def _recurrent(call: Call, _: str) -> list[Problem]:
    steps, batch = call.shape(0)[:2]
    if call.attributes.get("layout"):
        steps, batch = batch, steps
    directions, gates, inputs = call.shape(1)
    hidden = call.shape(2)[2]
    whole, step = Contraction(1, batch * steps, gates, inputs), Contraction(1, batch, gates, hidden)
    return [
        whole.problem(f"{call.layer}.input", count=directions),
        step.problem(f"{call.layer}.hidden", count=directions * steps),
    ]


def _repeats(call: Call, name: str) -> int:
    """Return how many neighbouring heads are one, repeated by ``Expand`` (grouped-query)."""
    graph = call.graph
    while (node := graph.producers.get(name)) is not None:
        if node.op_type == "Expand":
            before, after = (call.sizes(each) for each in (node.input[0], node.output[0]))
            grown = [at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b]
            return after[2] if len(after) == len(before) == 5 and grown == [2] else 1
        if node.op_type not in ("Reshape", "Transpose", "Identity", "Cast"):
            break
        name = node.input[0]
    return 1


HANDLERS: Mapping[str, Handler] = {
    "Conv": _convolution,
    "ConvInteger": _convolution,
    "QLinearConv": partial(_convolution, weight=3),
    "ConvTranspose": _transposed,
    "MatMul": _product,
    "MatMulInteger": _product,
    "QLinearMatMul": partial(_product, second=3),
    "Gemm": _gemm,
    "Einsum": _einsum,
    "Attention": _attention,
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _recurrent),
}
"""The layers of a call, by the operator."""

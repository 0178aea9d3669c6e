"""PyTorch's operators as layers: one function per kind of operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

from torch.fx import Node

from tilegrad.networks.exported.call import Call
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


@dataclass(frozen=True)
class Choices:
    """What a user chooses; ``stationary``: the operand of two activations in the weights' place."""

    stationary: str = SECOND


Handler = Callable[[Call, Choices], list[Problem]]


def _product(call: Call, choices: Choices, first: str, second: str) -> list[Problem]:
    repeats = _repeats(call, call.arguments[second])
    found = matrix_product(call.shape(first), call.shape(second), repeats)
    return [_held(found, call, choices, first, second)]


def _held(found: Contraction, call: Call, choices: Choices, first: str, second: str) -> Problem:
    """Return the layer with its parameter as Weights, or else with the operand that is chosen."""
    ours, theirs = call.is_weight(first), call.is_weight(second)
    return found.problem(
        call.layer, choices.stationary if ours == theirs else (FIRST, SECOND)[theirs]
    )


def _linear(call: Call, _: Choices) -> list[Problem]:
    outputs, *inputs = call.shape("weight")
    rows = prod(call.shape("input")[:-1])
    return [Contraction(1, rows, outputs, prod(inputs)).problem(call.layer)]


def _einsum(call: Call, choices: Choices) -> list[Problem]:
    tensors = call.arguments["tensors"]
    found = einsum(str(call.arguments["equation"]), [call.sizes(each) for each in tensors])
    weights = [call.source(each) in call.scope.weights for each in tensors]
    held = choices.stationary if weights[0] == weights[1] else (FIRST, SECOND)[weights[1]]
    return [found.problem(call.layer, held)]


def _attention(call: Call, choices: Choices) -> list[Problem]:
    query, key, value = (call.shape(name) for name in ("query", "key", "value"))
    found = attention(query, key, value, _repeats(call, call.arguments["key"]))
    parts = zip(("scores", "values"), found, strict=True)
    return [each.problem(f"{call.layer}.{part}", choices.stationary) for part, each in parts]


def _repeats(call: Call, node: Any) -> int:
    """Return how many neighbouring heads of ``[batch, heads, ...]`` are one, repeated by expanding.

    As grouped-query attention repeats keys: ``x[:, :, None].expand(...).reshape(...)``.
    """
    while isinstance(node, Node) and node.op == "call_function" and node.args:
        inner, kind = node.args[0], Call(node, call.scope).kind
        if kind == "expand" and isinstance(inner, Node):
            before, after = call.sizes(inner), call.sizes(node)
            grown = [at for at, size in enumerate(after[-len(before) :]) if size != before[at]]
            return after[2] if len(after) == len(before) == 5 and grown == [2] else 1
        if kind not in (
            "reshape",
            "view",
            "clone",
            "contiguous",
            "_unsafe_view",
            "transpose",
            "mT",
        ):
            break
        node = inner
    return 1


def _convolution(call: Call, choices: Choices) -> list[Problem]:
    if call.arguments.get("transposed"):
        return _transposed(call, choices)
    batched, outputs = _batched(call)
    windows = [
        Window(out, taps, stride, dilation)
        for out, taps, stride, dilation in zip(
            outputs[2:],
            call.shape("weight")[2:],
            *(_along(call, name, len(outputs) - 2) for name in ("stride", "dilation")),
            strict=True,
        )
    ]
    channels = batched[1], outputs[1]
    groups = int(call.arguments["groups"])
    return [convolution(call.layer, batched[0], channels, groups, windows)]


def _transposed(call: Call, _: Choices) -> list[Problem]:
    batched, outputs = _batched(call)
    fields = ("stride", "padding", "dilation")
    given = [_along(call, name, len(outputs) - 2) for name in fields]
    axes = [
        TransposedAxis(*each)
        for each in zip(outputs[2:], call.shape("weight")[2:], *given, strict=True)
    ]
    channels = batched[1], outputs[1]
    groups = int(call.arguments["groups"])
    return transposed_convolution(call.layer, batched[0], channels, groups, axes)


def _batched(call: Call) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the sizes of input and result with a batch, which PyTorch's may lack."""
    rank = len(call.shape("weight"))
    inputs, outputs = call.shape("input"), call.result
    missing = (1,) * (rank - len(inputs))
    return missing + inputs, missing + outputs


def _along(call: Call, name: str, axes: int) -> list[int]:
    """Return an argument for each axis; one value stands for all."""
    value = call.arguments[name]
    values = list(value) if isinstance(value, Sequence) else [value]
    return [int(each) for each in (values * axes if len(values) == 1 else values)]


def _recurrent(call: Call, _: Choices) -> list[Problem]:
    """Return the products of recurrent layers: of all steps at once, and step by step."""
    steps_first = not call.arguments["batch_first"]
    lead = call.shape("input")[:-1]
    steps, batch = (lead if steps_first else lead[::-1]) if len(lead) == 2 else (lead[0], 1)
    matrices = [call.sizes(each) for each in call.arguments["params"]]
    matrices = [sizes for sizes in matrices if len(sizes) == 2]
    each = len(matrices) // (
        int(call.arguments["num_layers"]) * (1 + call.arguments["bidirectional"])
    )
    found = []
    for place, (outputs, inputs) in enumerate(matrices):
        cell, part = divmod(place, each)
        name = f"{call.layer}.{cell}.{('input', 'hidden', 'projection')[part]}"
        rows, times = (batch, steps) if part else (batch * steps, 1)
        found.append(Contraction(1, rows, outputs, inputs).problem(name, count=times))
    return found


_CONVOLUTIONS = ("conv1d", "conv2d", "conv3d", "convolution", "_convolution")
_TRANSPOSED = ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
_ATTENTIONS = (
    "scaled_dot_product_attention",
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_fused_attention_overrideable",
)
_RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")
_PRODUCTS = {
    "matmul": ("self", "other"),
    "mm": ("self", "mat2"),
    "bmm": ("self", "mat2"),
    "mv": ("self", "vec"),
    "dot": ("self", "tensor"),
    "addmm": ("mat1", "mat2"),
    "baddbmm": ("batch1", "batch2"),
    "addmv": ("mat", "vec"),
}
"""Products by the names of their operands."""

HANDLERS: Mapping[str, Handler] = {
    "linear": _linear,
    "einsum": _einsum,
    **dict.fromkeys(_CONVOLUTIONS, _convolution),
    **dict.fromkeys(_TRANSPOSED, _transposed),
    **dict.fromkeys(_ATTENTIONS, _attention),
    **dict.fromkeys(_RECURRENT, _recurrent),
    **{kind: partial(_product, first=one, second=two) for kind, (one, two) in _PRODUCTS.items()},
}
"""The layers of a call, by the kind of operator."""

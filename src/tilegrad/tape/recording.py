"""Records a function of factors, and its gradient, as instructions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float64
from torch import Tensor

from tilegrad.tape.code import Code, code_of
from tilegrad.tape.graph import OTHER, PER_ORDER, SHARED, Graph
from tilegrad.tape.operations import COTANGENT, GRADIENT, LAYER, ORDERED, OUTPUT, ROW
from tilegrad.tape.recorder import Recorder

SAMPLED_ORDERS = 2
"""Orders of a sample: so many that sums over them show."""


class Recording(NamedTuple):
    """Parts ``[start, layer, order, column]`` as instructions, and their gradients.

    ``widths``: the columns of each part; ``ordered``: whether it differs between orders, of which
    it has one otherwise; ``follows``: whether it has a gradient.
    """

    forward: Code
    backward: Code
    widths: tuple[int, ...]
    ordered: tuple[bool, ...]
    follows: tuple[bool, ...]


@dataclass(frozen=True)
class Sample:
    """One start of one layer: what is done to it in tensor operations is done to all.

    ``factors`` are what gradients are asked for; each of ``layers`` holds figures of the layer,
    ``ordered`` those of ``SAMPLED_ORDERS`` orders. ``parts`` makes parts of factors and these very
    tensors. There are ``orders`` in all, whose figures take values of ``domains`` by column.
    """

    factors: Float64[Tensor, "1 1 factor"]
    layers: Sequence[Tensor]
    ordered: Tensor
    parts: Callable[[Tensor], Sequence[Tensor]]
    orders: int
    domains: Sequence[frozenset[float]]


def recorded(sample: Sample) -> Recording:
    """Record the parts of a sample and their gradients.

    Raises ``NotRecordableError`` where an operation among them has no rule, or orders mix.
    """
    graph = Graph()
    recorder = Recorder(graph, sample.orders)
    _track_given(recorder, sample)
    factors = sample.factors.requires_grad_(True)
    with recorder:
        parts = sample.parts(factors)
    follows = tuple(part.requires_grad for part in parts)
    cotangents = {place: torch.rand_like(parts[place]) for place in range(len(parts))}
    for place, cotangent in cotangents.items():
        stage = PER_ORDER if cotangent.shape[2] > 1 else SHARED
        columns = range(cotangent.shape[-1])
        own = [graph.given(COTANGENT, place, column, stage=stage) for column in columns]
        _track(recorder, cotangent, own)
    ends = [place for place, each in enumerate(follows) if each]
    with recorder:
        (gradient,) = torch.autograd.grad(
            [parts[place] for place in ends], factors, [cotangents[place] for place in ends]
        )
    outputs = [
        (OUTPUT, figure, place, column)
        for place, part in enumerate(parts)
        for column, figure in enumerate(recorder.figures(part)[0, 0, 0].tolist())
    ]
    slopes = enumerate(recorder.figures(gradient).flatten().tolist())
    return Recording(
        code_of(graph, outputs, sample.orders),
        code_of(graph, [(GRADIENT, figure, column, 0) for column, figure in slopes], sample.orders),
        tuple(part.shape[-1] for part in parts),
        tuple(part.shape[2] > 1 for part in parts),
        follows,
    )


def _track_given(recorder: Recorder, sample: Sample) -> None:
    """Have the recorder know which figures the sample holds."""
    graph, column = recorder.graph, 0
    rows = [graph.given(ROW, each) for each in range(sample.factors.numel())]
    _track(recorder, sample.factors, rows)
    for tensor in sample.layers:
        columns = range(column, column := column + tensor.numel())
        _track(recorder, tensor, [graph.given(LAYER, each) for each in columns])
    columns = range(sample.ordered.numel() // SAMPLED_ORDERS)
    own = [graph.given(ORDERED, each, stage=PER_ORDER) for each in columns]
    graph.domains.update(zip(own, sample.domains, strict=True))
    _track(recorder, sample.ordered, own)


def _track(recorder: Recorder, tensor: Tensor, figures: list[int]) -> None:
    """Track figures of the first order; of the others nothing is to be known."""
    others = [OTHER] * (tensor.numel() - len(figures))
    recorder.track(tensor, torch.tensor(figures + others, dtype=torch.int64).view(tensor.shape))

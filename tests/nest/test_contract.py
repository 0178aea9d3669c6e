"""Gradients and batching of all counts of the analysis, in both conventions."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from tests.cost.contract import DifferentiableModel, Quantities
from tests.helpers import counts, gemmini, plain
from tilegrad.accelerator import COUNTINGS, Accelerator
from tilegrad.mapping import LoopNest
from tilegrad.nest import analyse


def count(accelerator: Accelerator, mapping: LoopNest, strides: Tensor) -> Quantities:
    return counts(analyse(mapping, strides, accelerator))


class TestGemmini2022(DifferentiableModel):
    evaluate = partial(count, gemmini())


class TestGemmini(DifferentiableModel):
    accelerator = gemmini("timeloop")
    evaluate = partial(count, gemmini("timeloop"))


class TestPlain2022(DifferentiableModel):
    accelerator = plain(COUNTINGS[0])
    evaluate = partial(count, plain(COUNTINGS[0]))


class TestPlain(DifferentiableModel):
    accelerator = plain(COUNTINGS[1])
    evaluate = partial(count, plain(COUNTINGS[1]))

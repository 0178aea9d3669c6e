"""Oracles and errors that tests of networks share."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from tilegrad.errors import TilegradError
from tilegrad.workload import Problem, Workload


def counter_macs(module: nn.Module, *inputs: Any) -> int:
    """Return the multiply-accumulates that PyTorch's own counter finds, on tensors without values.

    On the processor it would pass over fused attention.
    """
    there = copy.deepcopy(module).eval().to("meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        there(*(each.to("meta") for each in inputs))
    return int(counter.get_total_flops()) // 2


def macs(workload: Workload) -> int:
    """Return the multiply-accumulates of all executions of a workload's layers."""
    return sum(layer.macs * layer.count for layer in workload)


def by_name(workload: Workload) -> dict[str, Problem]:
    """Return layers by all names that they stand for."""
    return {name: layer for layer in workload for name in (layer.name, *layer.also)}


def sizes(layer: Problem, *fields: str) -> tuple[int, ...]:
    """Return some of a layer's bounds, strides and dilations."""
    return tuple(layer.as_dict()[field] for field in fields)


def refusal(call: Callable[[], object]) -> str:
    """Return the one paragraph with which a call is refused."""
    with pytest.raises(TilegradError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    return message

"""Gradients and batching of energy, latency, hardware and area, priced per mapping."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from tests.cost.contract import DifferentiableModel, Quantities
from tests.helpers import gemmini, generator, random_strides, relaxed_mappings
from tilegrad.accelerator import Accelerator
from tilegrad.cost import area_mm2, infer_hardware
from tilegrad.cost.footprint import cycles, energy_pj, footprint
from tilegrad.cost.hardware import least_hardware
from tilegrad.mapping import LoopNest
from tilegrad.nest import analyse


def price(
    accelerator: Accelerator, fixed: dict[str, float], mapping: LoopNest, strides: Tensor
) -> Quantities:
    """Return each mapping's cost on the smallest hardware that holds it."""
    sums = footprint(analyse(mapping, strides, accelerator), accelerator)
    hardware = least_hardware(accelerator, sums.needs.unbind(-1), fixed, False).hardware
    priced = {
        "energy": energy_pj(sums, accelerator, hardware),
        "cycles": cycles(sums, accelerator, hardware),
        "area": torch.as_tensor(area_mm2(accelerator, hardware), dtype=torch.float64),
    }
    return priced | {name: size.to(torch.float64) for name, size in hardware.items()}


class TestInferredHardware(DifferentiableModel):
    evaluate = partial(price, gemmini(), {})


class TestFixedHardware(DifferentiableModel):
    fixed = {"pe_dim": 16.0, "scratchpad_kb": 64.0, "accumulator_kb": 32.0}  # noqa: RUF012
    evaluate = partial(price, gemmini(), fixed)


class TestPartlyFixedHardware(DifferentiableModel):
    accelerator = gemmini("timeloop")
    evaluate = partial(price, gemmini("timeloop"), {"pe_dim": 16.0})


def test_hardware_of_a_network_has_the_gradient_of_its_largest_layer() -> None:
    source = generator(5)
    mapping, strides = relaxed_mappings(gemmini(), 8, source, 0.3), random_strides(8, source)
    temporal = mapping.temporal.clone().requires_grad_()
    nest = analyse(LoopNest(temporal, mapping.spatial, mapping.order), strides, gemmini())
    (need,) = torch.autograd.grad(
        infer_hardware(gemmini(), nest, {}, exact=False)["scratchpad_kb"], temporal
    )
    layers = need.flatten(1).any(1).nonzero().flatten()
    each = price(gemmini(), {}, mapping, strides)["scratchpad_kb"]
    assert layers.tolist() == [each.argmax().item()]

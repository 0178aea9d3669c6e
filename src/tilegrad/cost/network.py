"""Exact cost of whole designs: hardware from all layers' mappings, then every layer's cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Bool, Float64
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.expression import tensor_of
from tilegrad.cost.analytical import LayerCost, layer_cost
from tilegrad.cost.capacity import fits
from tilegrad.cost.hardware import Hardware, area_mm2, infer_hardware
from tilegrad.mapping import LoopNest
from tilegrad.nest import analyse_layers
from tilegrad.workload import Workload


@dataclass(frozen=True)
class NetworkCost:
    """Designs' totals ``[...]`` over all layers and counts; ``layers`` are ``[..., layer]``.

    ``fits [..., layer]`` says whether a mapping fits the hardware, all that ``fixed`` decides too.
    """

    hardware: Hardware
    fits: Bool[Tensor, "*design layer"]
    layers: LayerCost
    energy_pj: Float64[Tensor, "*design"]
    cycles: Float64[Tensor, "*design"]
    area_mm2: Float64[Tensor, "*#design"]


def network_cost(
    nests: LoopNest, workload: Workload, accelerator: Accelerator, fixed: Mapping[str, float]
) -> NetworkCost:
    """Return the cost of designs with mappings ``[..., layer]``; ``fixed`` hardware is kept."""
    nest = analyse_layers(nests, workload.stacks, accelerator)
    hardware = infer_hardware(accelerator, nest, fixed)
    by_layer = {name: value.unsqueeze(-1) for name, value in hardware.items()}
    # Factors that are 1 throughout leave costs without the batch's dimensions.
    batch = nests.batch_shape
    layers = layer_cost(nest, accelerator, by_layer).expand(*batch)
    return NetworkCost(
        hardware,
        fits(nest, accelerator, by_layer).expand(batch),
        layers,
        (layers.energy_pj * workload.counts).sum(-1),
        (layers.cycles * workload.counts).sum(-1),
        tensor_of(area_mm2(accelerator, hardware), nest.macs.device),
    )

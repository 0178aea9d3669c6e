"""Latency, energy, area and EDP from the nest; hardware from the mappings."""

from tilegrad.cost.analytical import LayerCost, layer_cost
from tilegrad.cost.hardware import Hardware, area_mm2, infer_hardware

__all__ = ["Hardware", "LayerCost", "area_mm2", "infer_hardware", "layer_cost"]

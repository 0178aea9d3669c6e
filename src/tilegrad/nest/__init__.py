"""The loop-nest analysis: what moves, how often, at every level."""

from tilegrad.nest.analysis import Accesses, Nest, analyse
from tilegrad.nest.layers import analyse_layers, find_layer_violations

__all__ = ["Accesses", "Nest", "analyse", "analyse_layers", "find_layer_violations"]

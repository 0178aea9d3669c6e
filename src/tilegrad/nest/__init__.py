"""The loop-nest analysis: what moves, how often, at every level."""

from tilegrad.nest.analysis import Accesses, Nest, analyse

__all__ = ["Accesses", "Nest", "analyse"]

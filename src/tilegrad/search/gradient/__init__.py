"""Mapping-first one-loop search: descent of relaxed mappings, rounding, exact polishing."""

from tilegrad.search.gradient.strategy import GradientStrategy

__all__ = ["GradientStrategy"]

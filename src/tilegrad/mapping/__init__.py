"""Mappings: tensors, shorthand, validity, sampling."""

from tilegrad.mapping.loopnest import LoopNest, concatenate, stack, unit_mapping
from tilegrad.mapping.shorthand import format_shorthand, parse_shorthand

__all__ = [
    "LoopNest",
    "concatenate",
    "format_shorthand",
    "parse_shorthand",
    "stack",
    "unit_mapping",
]

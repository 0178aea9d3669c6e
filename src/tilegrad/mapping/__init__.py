"""Mappings: tensors, shorthand, validity, sampling."""

from tilegrad.mapping.mapping import Mapping, concatenate, stack, unit_mapping
from tilegrad.mapping.shorthand import format_shorthand, parse_shorthand

__all__ = ["Mapping", "concatenate", "format_shorthand", "parse_shorthand", "stack", "unit_mapping"]

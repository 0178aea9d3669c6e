"""Optima that are proven."""

from tilegrad.search.exact.strategy import ExactStrategy

__all__ = ["ExactStrategy"]

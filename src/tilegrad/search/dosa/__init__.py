"""DOSA's own search, as published (MICRO'23), on this project's analysis."""

from tilegrad.search.dosa.strategy import DosaStrategy

__all__ = ["DosaStrategy"]

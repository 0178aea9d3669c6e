"""Parameters of which `make test` runs the quick ones, and `make slow` the rest."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from _pytest.mark import ParameterSet


def slow_but(names: Iterable[str], *quick: str) -> list[str | ParameterSet]:
    """Return the names, all but the ``quick`` ones marked as slow."""
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in names]

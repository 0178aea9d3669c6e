"""Each class of a strategy's contract has limits of its own."""

from __future__ import annotations

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes a ``limit`` once for each of its class's.

    The costly ones are slow, those of a class that is slow itself exhaustive.
    """
    if "limit" in metafunc.fixturenames and metafunc.cls is not None:
        names = list(metafunc.cls.limits)
        slow = any(mark.name == "slow" for mark in getattr(metafunc.cls, "pytestmark", ()))
        rest = pytest.mark.exhaustive if slow else pytest.mark.slow
        quick = metafunc.cls.quick or names
        cases = [name if name in quick else pytest.param(name, marks=rest) for name in names]
        metafunc.parametrize("limit", cases)

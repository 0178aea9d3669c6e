"""Each class of a strategy's contract has limits of its own."""

from __future__ import annotations

import pytest

from tests.helpers_slow import slow_but


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes a ``limit`` once for each of its class's, the costly ones as slow."""
    if "limit" in metafunc.fixturenames and metafunc.cls is not None:
        names = list(metafunc.cls.limits)
        metafunc.parametrize("limit", slow_but(names, *(metafunc.cls.quick or names)))

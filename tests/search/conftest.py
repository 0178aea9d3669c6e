"""Each class of a strategy's contract has limits of its own."""

from __future__ import annotations

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes a ``limit`` once for each of its class's."""
    if "limit" in metafunc.fixturenames and metafunc.cls is not None:
        metafunc.parametrize("limit", list(metafunc.cls.limits))

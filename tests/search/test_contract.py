"""Every strategy keeps the contract of a search."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.search.contract import StrategyContract
from tests.search.helpers import SHORT_GRADIENT, SHORT_RANDOM
from tilegrad.search import random


class TestGradient(StrategyContract):
    strategy = SHORT_GRADIENT


class TestRandom(StrategyContract):
    strategy = SHORT_RANDOM

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _many_units(cls) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(random, "MAPPINGS_PER_UNIT", 150)
            yield

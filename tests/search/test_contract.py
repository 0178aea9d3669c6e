"""Every strategy keeps the contract of a search."""

from __future__ import annotations

import pytest

from tests.search.contract import StrategyContract
from tests.search.helpers import SHORT_GRADIENT, SHORT_RANDOM
from tilegrad.search import random


class TestGradient(StrategyContract):
    strategy = SHORT_GRADIENT


class TestRandom(StrategyContract):
    strategy = SHORT_RANDOM

    @pytest.fixture(autouse=True)
    def _many_units(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(random, "MAPPINGS_PER_UNIT", 150)

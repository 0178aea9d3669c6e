"""Jobs in processes of this machine: their order, their errors, and a process that dies."""

from __future__ import annotations

import os

import pytest

from tilegrad.errors import ConfigError, OutputError
from tilegrad.spread import InProcesses


def test_numbers_of_processes_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"spread\.jobs is 0"):
        InProcesses(0)
    assert InProcesses(3).workers == 1


@pytest.mark.slow
def test_jobs_come_back_in_order_and_errors_as_they_are() -> None:
    spread = InProcesses(2)
    assert spread.map(abs, [-3, 2, -1]) == [3, 2, 1]
    with pytest.raises(ValueError, match="invalid literal"):
        spread.map(int, ["4", "four"])
    with pytest.raises(OutputError, match="spread=joblib: A worker process"):
        spread.map(os._exit, [1])

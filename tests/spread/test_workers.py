"""Jobs on workers: their order, their errors, and a process that dies."""

from __future__ import annotations

import os

import pytest

from tilegrad.errors import ConfigError, OutputError
from tilegrad.spread import InProcesses, OnRay


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


@pytest.mark.slow
def test_a_cluster_needs_no_options_of_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray", reason="not installed: pip install 'tilegrad[ray]'")
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "400")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    spread = OnRay({"num_cpus": 1, "include_dashboard": False})
    assert spread.workers == 1
    try:
        assert spread.map(abs, [-3, 2]) == [3, 2]
    finally:
        ray.shutdown()

"""What a training run says fits a terminal, however many targets were predicted."""

from __future__ import annotations

import pytest
from rich.console import Console

from tilegrad.predictors import METRICS
from tilegrad.training.printing import metrics_table


@pytest.mark.parametrize("targets", [1, 15])
def test_metrics_are_read_whole_on_a_terminal(
    targets: int, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {name: 0.8765 for name in METRICS}
    metrics = {f"warm_stated_{place}": values for place in range(targets)}
    Console(width=80).print(metrics_table("name: 3 folds", metrics))
    out = capsys.readouterr().out
    assert "…" not in out
    assert all(name in out for name in metrics)
    per_target = 5 if targets > 1 else len(METRICS)
    assert out.count("87.65 %") + out.count("0.8765") == per_target * targets

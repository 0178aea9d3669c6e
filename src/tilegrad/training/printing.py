"""What a training run says on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from tilegrad.predictors import METRICS
from tilegrad.training.run import TrainingRun

SHOWN_IMPORTANCES = 12


def print_fold(console: Console, fold: Mapping[str, Any], target: str) -> None:
    """Print one line on a finished fold."""
    metrics = fold["metrics"][target]
    console.print(
        f"{fold['fold']}: {fold['test_rows']:,} rows tested, "
        f"pairs {shown(metrics['pair_accuracy_micro'])}, MAPE {shown(metrics['mape'])}, "
        f"{fold['fit_seconds']:.1f} s",
        highlight=False,
        soft_wrap=True,
    )


def print_result(run: TrainingRun, result: Mapping[str, Any]) -> None:
    """Print the metrics, what matters most to the model, and where the files are."""
    console = Console()
    if result["metrics"]:
        console.print(metrics_table(result))
    for measure, values in result["importances"].items():
        ranked = sorted(values.items(), key=lambda item: -abs(item[1]))[:SHOWN_IMPORTANCES]
        line = ", ".join(f"{name} {value:.3g}" for name, value in ranked)
        console.print(f"{measure}: {line}", highlight=False, soft_wrap=True)
    console.print(f"saved in {run.directory}", soft_wrap=True)


def metrics_table(result: Mapping[str, Any]) -> Table:
    """Return the metrics of every target."""
    table = Table(title=f"{result['name']}: {result['folds']} folds")
    table.add_column("metric")
    for target in result["metrics"]:
        table.add_column(target, justify="right")
    table.add_column("what it is")
    for name, about in METRICS.items():
        values = [shown(metrics[name], name) for metrics in result["metrics"].values()]
        table.add_row(name, *values, about)
    return table


def shown(value: float | None, name: str = "") -> str:
    """Return a share as per cent, a correlation as it is, "-" for none."""
    if value is None:
        return "-"
    return f"{value:.4f}" if "spearman" in name else f"{100 * value:.2f} %"

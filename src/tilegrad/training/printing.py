"""What a training run says on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tilegrad.predictors import METRICS
from tilegrad.training.run import TrainingRun

SHOWN_IMPORTANCES = 12
SHOWN_COLUMNS = 5

ABREAST = 4
"""Targets whose metrics stand side by side in a terminal."""
CHIEF = ("pair_accuracy_micro", "pair_accuracy_macro", "spearman_layer", "mape", "regret")
"""The metrics of each of more targets than that; result.json has all."""


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


def print_refit(console: Console, refit: Mapping[str, Any]) -> None:
    """Print one line on what ``model.ckpt`` was trained on, and which epoch it is."""
    kept = refit["kept"]
    held_out = f", {refit['held_out_rows']:,} held out" if refit["held_out_rows"] else ""
    console.print(
        f"refit: {refit['train_rows']:,} rows trained on{held_out}, epoch {kept['epoch']} of "
        f"{refit['epochs']} kept ({kept['by']}), {refit['fit_seconds']:.1f} s",
        highlight=False,
        soft_wrap=True,
    )


def print_result(run: TrainingRun, result: Mapping[str, Any]) -> None:
    """Print the metrics, what matters most to the model, and where the files are."""
    console = Console()
    if result["metrics"]:
        console.print(
            metrics_table(f"{result['name']}: {result['folds']} folds", result["metrics"])
        )
    print_intervals(console, result["intervals"])
    for measure, values in result["importances"].items():
        ranked = sorted(values.items(), key=lambda item: -abs(item[1]))[:SHOWN_IMPORTANCES]
        line = ", ".join(f"{name} {value:.3g}" for name, value in ranked)
        console.print(f"{measure}: {line}", highlight=False, soft_wrap=True)
    console.print(f"saved in {run.directory}", soft_wrap=True)


def print_evaluation(directory: Path, result: Mapping[str, Any]) -> None:
    """Print the metrics, how many rows were unlike the training's, and where the files are."""
    console = Console()
    console.print(metrics_table(f"{result['name']}: {result['rows']:,} rows", result["metrics"]))
    print_intervals(console, result["intervals"])
    for target in result["not_measured"]:
        console.print(f"{target}: predicted, but not measured by these data")
    columns = list(result["columns_outside_training"].items())[:SHOWN_COLUMNS]
    most = ", ".join(f"{name} ({rows:,})" for name, rows in columns)
    console.print(
        f"{result['rows_outside_training']:,} of {result['rows']:,} rows lie outside the range of "
        f"the checkpoint's training{f', most by {most}' if most else ''}",
        highlight=False,
        soft_wrap=True,
    )
    console.print(f"saved in {directory}", soft_wrap=True)


def print_intervals(console: Console, intervals: Mapping[str, Mapping[str, float]]) -> None:
    """Print how often the intervals hold, for a model that has any."""
    for target, shares in intervals.items():
        line = ", ".join(f"{name} {share:.3g}" for name, share in shares.items())
        console.print(f"intervals of {target}: {line}", highlight=False, soft_wrap=True)


def metrics_table(title: str, metrics_of: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return the metrics of every target; of many, the chief ones, a line each."""
    if len(metrics_of) > ABREAST:
        return _metrics_by_line(title, metrics_of)
    table = Table(title=title)
    table.add_column("metric")
    for target in metrics_of:
        table.add_column(target, justify="right")
    table.add_column("what it is")
    for name, about in METRICS.items():
        values = [shown(metrics[name], name) for metrics in metrics_of.values()]
        table.add_row(name, *values, about)
    return table


def _metrics_by_line(title: str, metrics_of: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(title=title)
    table.add_column("", no_wrap=True)
    for name in CHIEF:
        table.add_column(name.replace("_", " "), justify="right")
    for target, metrics in metrics_of.items():
        table.add_row(target, *(shown(metrics[name], name) for name in CHIEF))
    return table


def shown(value: float | None, name: str = "") -> str:
    """Return a share as per cent, a correlation as it is, "-" for none."""
    if value is None:
        return "-"
    return f"{value:.4f}" if "spearman" in name else f"{100 * value:.2f} %"

"""The guard of a search by a checkpoint: where its design lies outside the training range."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from tilegrad.record import LayerResult, Outside, Predicted, Result
from tilegrad.report.engineering import counted, scientific

HEADINGS = ("layer", "feature", "value", "lowest in training", "highest in training", "unit")


def prediction_rows(result: Result, prediction: Predicted) -> dict[str, str]:
    """Return what the checkpoint predicts, beside the nest's figures, and whether to trust it."""
    return {
        "predicted EDP": f"{scientific(prediction.edp)} uJ*cycles "
        f"({_against(prediction.edp, result.edp)})",
        "predicted latency": f"{counted(prediction.cycles)} cycles "
        f"({_against(prediction.cycles, result.cycles)})",
        **_interval_rows(prediction),
        "predicted by": prediction.model,
        "training range": _verdict(result),
    }


def _interval_rows(prediction: Predicted) -> dict[str, str]:
    if (found := prediction.interval) is None:
        return {}
    low, high = map(scientific, found.edp)
    least, most = map(counted, found.cycles)
    return {f"{found.level:.0%} interval": f"{low} to {high} uJ*cycles, {least} to {most} cycles"}


def outside_rows(result: Result) -> list[tuple[str, ...]]:
    """Return one row of texts for each layer and feature that is outside; see ``HEADINGS``.

    What is the same in all layers, as facts of a machine are, has one row.
    """
    layers = len(result.layers)
    times = Counter(_texts(departure) for _, departure in _outside(result))
    shared = [texts for texts, found in times.items() if found == layers > 1]
    return [
        *((f"all {layers} layers", *texts) for texts in shared),
        *(
            (layer.name, *texts)
            for layer, departure in _outside(result)
            if (texts := _texts(departure)) not in shared
        ),
    ]


def outside_table(result: Result) -> Table | None:
    """Return the table of ``outside_rows``, or None where nothing is outside."""
    rows = outside_rows(result)
    if not rows:
        return None
    table = Table(title="outside the checkpoint's training range: predictions are guesses here")
    for heading in HEADINGS:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _outside(result: Result) -> Iterator[tuple[LayerResult, Outside]]:
    for layer in result.layers:
        for departure in layer.outside_training_range:
            yield layer, departure


def _verdict(result: Result) -> str:
    found = list(_outside(result))
    if not found:
        return "kept in every layer"
    layers = len({layer.name for layer, _ in found})
    features = sorted({departure.feature for _, departure in found})
    return f"left by {layers} of {len(result.layers)} layers, in {', '.join(features)}"


def _texts(departure: Outside) -> tuple[str, ...]:
    values = (departure.value, departure.lowest, departure.highest)
    return departure.feature, *(f"{value:.4g}" for value in values), departure.unit


def _against(predicted: float, nest: float) -> str:
    """Return how a prediction compares: ``2.3 % below the nest's``."""
    share = predicted / nest - 1 if nest else 0.0
    return f"{abs(share):.1%} {'below' if share < 0 else 'above'} the nest's".replace("%", " %")

"""What a checkpoint predicts of a design that was found with it, read back from result.json."""

from __future__ import annotations

from dataclasses import dataclass

from tilegrad.cost.model import Departure
from tilegrad.report.fields import Fields

PREDICTED = "predicted"
PREDICTED_CYCLES = "predicted_cycles"
OUTSIDE = "outside_training_range"


@dataclass(frozen=True)
class Interval:
    """Ends of the network's EDP [uJ*cycles] and cycles; of a ``level`` from 0 to 1."""

    level: float
    edp: tuple[float, float]
    cycles: tuple[float, float]


@dataclass(frozen=True)
class Prediction:
    """EDP [uJ*cycles] and cycles of the network as ``model`` predicts them."""

    model: str
    edp: float
    cycles: float
    interval: Interval | None


@dataclass(frozen=True)
class LayerPrediction:
    """Predicted cycles of one execution, and the features outside the model's training range."""

    cycles: float
    outside: tuple[Departure, ...]


def prediction_of(record: Fields) -> Prediction | None:
    """Return the prediction of a result; None where no checkpoint was searched with."""
    if PREDICTED not in record:
        return None
    fields = record.inside(PREDICTED)
    model, edp, cycles = fields.text("model"), fields.number("edp"), fields.number("cycles")
    return Prediction(model, edp, cycles, _interval(fields) if "level" in fields else None)


def _interval(fields: Fields) -> Interval:
    edp, cycles = (
        (fields.number(f"{name}_low"), fields.number(f"{name}_high")) for name in ("edp", "cycles")
    )
    return Interval(fields.number("level"), edp, cycles)


def layer_prediction_of(layer: Fields) -> LayerPrediction | None:
    """Return the prediction of one layer; None where no checkpoint was searched with."""
    if PREDICTED_CYCLES not in layer:
        return None
    outside = tuple(
        Departure(
            fields.text("feature"),
            fields.text("unit"),
            *(fields.number(name) for name in ("value", "lowest", "highest")),
        )
        for fields in layer.every(OUTSIDE)
    )
    return LayerPrediction(layer.number(PREDICTED_CYCLES), outside)

"""What a run left in its directory, read back: result.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tilegrad.dims import DIMS, STRIDES
from tilegrad.errors import DataError
from tilegrad.report.fields import Fields
from tilegrad.report.prediction import (
    LayerPrediction,
    Prediction,
    layer_prediction_of,
    prediction_of,
)
from tilegrad.workload import Problem

RESULT = "result.json"
ARITHMETIC = "arithmetic"


@dataclass(frozen=True)
class LayerResult:
    """One layer of the best design; energy and cycles are of one execution.

    The keys of ``energy_by_part_uj`` and ``cycles_by_part`` are ``arithmetic`` and the levels'
    names; ``bottleneck`` is one of them. ``prediction`` is of a search by a checkpoint.
    """

    problem: Problem
    mapping: str
    energy_uj: float
    cycles: float
    bottleneck: str
    energy_by_part_uj: dict[str, float]
    cycles_by_part: dict[str, float]
    prediction: LayerPrediction | None = None

    @property
    def name(self) -> str:
        """The layer's name."""
        return self.problem.name

    @property
    def count(self) -> int:
        """How often the network executes the layer."""
        return self.problem.count

    @property
    def total_energy_uj(self) -> float:
        """Energy of all executions."""
        return self.count * self.energy_uj

    @property
    def total_cycles(self) -> float:
        """Cycles of all executions."""
        return self.count * self.cycles


@dataclass(frozen=True)
class Result:
    """The best design of a run: totals over all executions of all layers, and how it was found."""

    edp: float
    energy_uj: float
    cycles: float
    area_mm2: float
    objective: str
    workload: str
    accelerator: str
    hardware: dict[str, float]
    layers: tuple[LayerResult, ...]
    samples: float
    seconds: float
    seed: object
    strategy: str
    status: str
    versions: object
    git: object
    prediction: Prediction | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The arithmetic, if it is named, then the levels in the order of the file."""
        return tuple(sorted(self.layers[0].energy_by_part_uj, key=lambda part: part != ARITHMETIC))


def read_result(directory: Path) -> Result:
    """Read ``result.json``; ``DataError`` names the file and the field that is wrong."""
    path = directory / RESULT
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{path}: is not JSON, perhaps truncated: {error}") from None
    return parse_result(values, str(path))


def parse_result(values: object, file: str = RESULT) -> Result:
    """Return the result that the decoded JSON ``values`` describe; ``file`` is for errors."""
    record = Fields(values, file)
    layers = tuple(_layer(layer) for layer in record.each("layers"))
    _check_parts(record, layers)
    return Result(
        edp=record.number("edp"),
        energy_uj=record.number("energy_uj"),
        cycles=record.number("cycles"),
        area_mm2=record.number("area_mm2"),
        objective=record.text("objective"),
        workload=record.text("workload"),
        accelerator=record.text("accelerator"),
        hardware=record.numbers("hardware"),
        layers=layers,
        samples=record.number("samples"),
        seconds=record.number("seconds"),
        seed=record.get("seed"),
        strategy=record.text("strategy"),
        status=record.text("status"),
        versions=record.get("versions"),
        git=record.get("git"),
        prediction=prediction_of(record),
    )


def _layer(fields: Fields) -> LayerResult:
    bounds = fields.inside("problem")
    problem = Problem.from_fields(
        fields.text("name"),
        {name: bounds.get(name) for name in (*DIMS, *STRIDES)},
        fields.get("count"),
        where=f"{fields.file}, {fields.path}",
    )
    layer = LayerResult(
        problem,
        fields.text("mapping"),
        fields.number("energy_uj"),
        fields.number("cycles"),
        fields.text("bottleneck"),
        fields.numbers("energy_by_part_uj"),
        fields.numbers("cycles_by_part"),
        layer_prediction_of(fields),
    )
    if layer.bottleneck not in layer.cycles_by_part:
        fields.refuse("bottleneck", ", ".join(layer.cycles_by_part))
    return layer


def _check_parts(record: Fields, layers: tuple[LayerResult, ...]) -> None:
    """Refuse layers whose parts differ from those of the first one."""
    parts = layers[0].energy_by_part_uj.keys()
    for layer in record.each("layers"):
        for name in ("energy_by_part_uj", "cycles_by_part"):
            if set(layer.inside(name)) != parts:
                layer.refuse(name, f"numbers named {', '.join(parts)}")

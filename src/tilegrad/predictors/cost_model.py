"""A trained predictor as the latency of a search, and a guard over where it was trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import exp
from pathlib import Path

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.expression import Value
from tilegrad.cost.footprint import Footprint, energy_pj
from tilegrad.cost.model import Departure
from tilegrad.errors import ConfigError
from tilegrad.mapping import Mapping as LoopNest
from tilegrad.predictors.base import Predictor
from tilegrad.predictors.checkpoint import load_predictor
from tilegrad.predictors.features import Column, FeatureSet, feature_set

UJ_PER_PJ = 1e-6


@dataclass(frozen=True)
class PredictedLatency:
    """Latency by a predictor of latency, or of EDP, which is divided by the nest's energy.

    Hardware outside the range of the training data raises the latency to be minimised, by
    ``penalty`` in log for each e-fold outside. Other features do not: some layers cannot help
    leaving the range, and raising only theirs would shift the weights between layers.

    ``predictor`` is in double precision; ``source`` names its checkpoint.
    """

    predictor: Predictor
    penalty: float
    source: str

    @property
    def name(self) -> str:
        """The predictor's kind, features and checkpoint."""
        return f"{self.predictor.kind} ({self.predictor.schema.features} features), {self.source}"

    @property
    def differentiable(self) -> bool:
        """Whether the predictor is."""
        return self.predictor.differentiable

    @property
    def features(self) -> FeatureSet:
        """What the predictor reads."""
        return feature_set(self.predictor.schema.features)

    def context(
        self, nests: LoopNest, bounds: Tensor, strides: Tensor, accelerator: Accelerator
    ) -> Tensor:
        """Return what the features need beside the sums; see ``CostModel.context``."""
        return self.features.context(nests, bounds, strides, accelerator)

    def cycles(
        self, sums: Footprint, accelerator: Accelerator, hardware: Mapping[str, Value]
    ) -> Tensor:
        """Return the predicted latency, raised on hardware unlike the training's; ``[...]``."""
        columns = self._columns(sums, accelerator, hardware)
        log_cycles = self._log_cycles(columns, sums, accelerator, hardware)
        beyond = self.predictor.beyond_range(columns)[..., self._hardware].sum(-1)
        return (log_cycles + self.penalty * beyond).exp()

    def predicted(
        self, sums: Footprint, accelerator: Accelerator, hardware: Mapping[str, Value]
    ) -> Tensor:
        """Return the predicted latency; see ``LearnedModel.predicted``."""
        columns = self._columns(sums, accelerator, hardware)
        return self._log_cycles(columns, sums, accelerator, hardware).exp()

    def departures(
        self, sums: Footprint, accelerator: Accelerator, hardware: Mapping[str, Value]
    ) -> list[list[Departure]]:
        """Return the features outside the training range; see ``LearnedModel.departures``."""
        columns = self._columns(sums, accelerator, hardware)
        beyond = self.predictor.beyond_range(columns) > 0
        schema = self.features.schema(accelerator)
        return [
            [
                self._departure(schema[place], place, row[place])
                for place in out.nonzero().flatten().tolist()
            ]
            for row, out in zip(columns, beyond, strict=True)
        ]

    @cached_property
    def _hardware(self) -> list[int]:
        columns = self.predictor.schema.columns
        return [place for place, name in enumerate(columns) if name.startswith("hardware.")]

    def _columns(
        self, sums: Footprint, accelerator: Accelerator, hardware: Mapping[str, Value]
    ) -> Tensor:
        return self.features.columns(sums, sums.context, accelerator, hardware)

    def _log_cycles(
        self,
        columns: Tensor,
        sums: Footprint,
        accelerator: Accelerator,
        hardware: Mapping[str, Value],
    ) -> Tensor:
        targets = self.predictor.schema.targets
        log_targets = self.predictor(columns)
        if "latency" in targets:
            return log_targets[..., targets.index("latency")]
        energy = energy_pj(sums, accelerator, hardware) * UJ_PER_PJ
        return log_targets[..., targets.index("edp")] - energy.log()

    def _departure(self, column: Column, place: int, feature: Tensor) -> Departure:
        range_of = (self.predictor.lowest[place], self.predictor.highest[place])
        value, lowest, highest = (
            exp(float(each)) if column.logged else float(each) for each in (feature, *range_of)
        )
        return Departure(column.name, column.unit, value, lowest, highest)


def predicted_latency(path: Path, accelerator: Accelerator, penalty: float) -> PredictedLatency:
    """Return the latency model of a checkpoint, to be searched with on ``accelerator``.

    Raises ``ConfigError`` where the checkpoint is refused or predicts neither latency nor EDP.
    """
    predictor = load_predictor(path, accelerator)
    if not {"latency", "edp"} & set(predictor.schema.targets):
        raise ConfigError(
            f"ckpt={path} predicts {', '.join(predictor.schema.targets)}; "
            "legal: a predictor of latency or edp, as the energy is the nest's own"
        )
    return PredictedLatency(predictor.to(torch.float64), penalty, str(path))

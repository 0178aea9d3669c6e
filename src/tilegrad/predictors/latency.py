"""A trained predictor as the latency of a search, and a guard over where it was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import exp
from pathlib import Path

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.expression import Value
from tilegrad.cost.footprint import Footprint, energy_pj
from tilegrad.cost.latency import Departure, NotFiniteError
from tilegrad.errors import ConfigError
from tilegrad.machines.gemmini.system import System
from tilegrad.machines.gemmini.tiling import Tiling
from tilegrad.mapping import LoopNest
from tilegrad.predictors.base import Predictor
from tilegrad.predictors.checkpoint import load_predictor
from tilegrad.predictors.elsewhere import SEVERAL_GROUPS
from tilegrad.predictors.features import Column, FeatureSet, feature_set
from tilegrad.predictors.features.commands import Commands
from tilegrad.predictors.parts import AT_ONCE, in_parts
from tilegrad.predictors.pipeline import Pipeline
from tilegrad.predictors.recalled import Recalled
from tilegrad.schedules.schedules import EXPORTED
from tilegrad.shape import Shape
from tilegrad.shape.conv import CONV, GROUPED

UJ_PER_PJ = 1e-6

OVERFLOW = 4.0
"""Log latency of a tile that is too large, and again for each e-fold."""
SLACK = 1e-6
"""For rounding, in log."""


@dataclass(frozen=True)
class PredictedLatency:
    """Latency by a predictor of latency, or of EDP, which is divided by the nest's energy.

    Hardware outside the range of the training data raises the latency to be minimised, by
    ``penalty`` in log for each e-fold outside. Other features do not: some layers cannot help
    leaving the range, and raising only theirs would shift the weights between layers. A tile that
    overflows a memory by the features' own account (``FeatureSet.limits``) costs ``OVERFLOW`` and
    more. Layers of several groups, of which no training saw any, have intervals as much wider as
    those of another machine.

    ``predictor`` is in double precision; ``source`` names its checkpoint; ``upper`` is the level
    of the interval whose upper end is minimised instead of the prediction; ``calls`` are the
    layers' calls of a machine's library, where they are given.
    """

    predictor: Predictor
    penalty: float
    source: str
    upper: float | None = None
    calls: Tensor | None = None

    @property
    def name(self) -> str:
        """The predictor's kind, features and checkpoint."""
        return f"{self.predictor.kind} ({self.predictor.schema.features} features), {self.source}"

    @property
    def differentiable(self) -> bool:
        """Whether the predictor is."""
        return self.predictor.differentiable

    @property
    def learned(self) -> PredictedLatency:
        """Itself: it was fitted."""
        return self

    @property
    def features(self) -> FeatureSet:
        """What the predictor reads."""
        found = feature_set(self.predictor.schema.features)
        return found if self.calls is None else found.measured_by(EXPORTED, self.calls)

    @property
    def by_context(self) -> bool:
        """Whether the features are of the context alone, and latency is what is predicted."""
        of_context = isinstance(self.features, Commands)
        return of_context and self.predictor.schema.targets[self._target] == "latency"

    @property
    def doubling(self) -> tuple[str, ...]:
        """The array's side, where the features count what an array of a power of two does."""
        return self.features.doubling if isinstance(self.features, Commands) else ()

    def calling(self, calls: Tensor) -> PredictedLatency:
        """Return the model of layers with given calls; see ``LearnedModel.calling``."""
        return replace(self, calls=calls)

    def among(self, places: Sequence[int]) -> PredictedLatency:
        """Return the model of some of the layers; see ``LearnedModel.among``."""
        return self if self.calls is None else replace(self, calls=self.calls[list(places)])

    def knows(self, shape: Shape) -> bool:
        """Return whether the features are of a shape; see ``LearnedModel.knows``."""
        return shape == CONV or (shape == GROUPED and isinstance(self.features, Commands))

    def context(
        self, nests: LoopNest, bounds: Tensor, strides: Tensor, accelerator: Accelerator
    ) -> Tensor:
        """Return what the features need beside the sums; see ``LatencyModel.context``."""
        return self.features.context(nests, bounds, strides, accelerator)

    def cycles(
        self, sums: Footprint, accelerator: Accelerator, hardware: Mapping[str, Value]
    ) -> Tensor:
        """Return the predicted latency, raised on hardware unlike the training's; ``[...]``."""
        recalled = self._recalled(sums, accelerator)
        if recalled is not None and self.upper is None:
            log_cycles, beyond, held = recalled.log_cycles(sums.context, hardware)
            self._check(log_cycles)
            return (log_cycles + self.penalty * beyond + _overflow(held)).exp()
        columns = self._columns(sums, accelerator, hardware)
        log_cycles = self._log_cycles(columns, sums, accelerator, hardware)
        beyond = self.predictor.beyond_range(columns)[..., self._hardware].sum(-1)
        if self.upper is not None:
            width = self._half_width(columns, sums, self.upper)
            assert width is not None
            log_cycles = log_cycles + width
        return (log_cycles + self.penalty * beyond + _overflow(columns[..., self._limits])).exp()

    def least(
        self, sums: Footprint, accelerator: Accelerator, hardware: Mapping[str, Tensor]
    ) -> Tensor | None:
        """Return cycles ``[row]`` that no point of the hardware takes less than.

        ``hardware [point]``; see ``LearnedModel.least``.
        """
        meshes = [values for name, values in hardware.items() if f"hardware.{name}" in self._read]
        if any(bool((values != values[0]).any()) for values in meshes):
            return None
        first = {name: values[0] for name, values in hardware.items()}
        recalled = self._recalled(sums, accelerator)
        if recalled is not None:
            return recalled.least(sums.context, first).exp()
        columns = self._columns(sums, accelerator, first)
        parts = [self.predictor.least(part) for part in columns.split(AT_ONCE)]
        known = [part for part in parts if part is not None]
        return torch.cat(known).exp() if known else None

    @cached_property
    def _read(self) -> set[str]:
        return set(self.predictor.schema.columns)

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
        groups = self._groups(sums)
        each = [1.0] * len(columns) if groups is None else groups.tolist()
        return [
            [Departure("groups", "groups", held, 1.0, 1.0)] * (held > 1)
            + [
                found
                for place in out.nonzero().flatten().tolist()
                if (found := self._departure(schema[place], place, row[place])).matters
            ]
            for row, out, held in zip(columns, beyond, each, strict=True)
        ]

    def occupied(
        self, sums: Footprint, accelerator: Accelerator, hardware: Mapping[str, Value]
    ) -> dict[str, Tensor]:
        """Return shares of memories by the features' account; see ``LearnedModel.occupied``."""
        columns = self._columns(sums, accelerator, hardware)
        return {self._limit(place): columns[..., place].exp() for place in self._limits}

    def _limit(self, place: int) -> str:
        return self.predictor.schema.columns[place].rpartition(".")[2]

    def factor(
        self,
        sums: Footprint,
        accelerator: Accelerator,
        hardware: Mapping[str, Value],
        level: float,
    ) -> Tensor | None:
        """Return what an interval multiplies and divides by; see ``LearnedModel.factor``."""
        width = self._half_width(self._columns(sums, accelerator, hardware), sums, level)
        return None if width is None else width.exp()

    def _half_width(self, columns: Tensor, sums: Footprint, level: float) -> Tensor | None:
        widths = self.predictor.half_width(columns, level)
        if widths is None:
            return None
        groups = self._groups(sums)
        width = widths[..., self._target]
        return width if groups is None else torch.where(groups > 1, SEVERAL_GROUPS * width, width)

    def _groups(self, sums: Footprint) -> Tensor | None:
        """Return the groups of layers ``[...]``, none of which was trained on with several.

        None: the features know none.
        """
        if not isinstance(self.features, Commands):
            return None
        return Tiling.unpacked(sums.context).groups[..., 0]

    @cached_property
    def _target(self) -> int:
        """The place of the target that the latency follows."""
        targets = self.predictor.schema.targets
        return targets.index("latency" if "latency" in targets else "edp")

    @cached_property
    def _limits(self) -> list[int]:
        columns = self.predictor.schema.columns
        return [columns.index(name) for name in self.features.limits]

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
        found = in_parts(self.predictor, columns)[..., self._target]
        self._check(found)
        if self.predictor.schema.targets[self._target] == "latency":
            return found
        return found - (energy_pj(sums, accelerator, hardware) * UJ_PER_PJ).log()

    def _check(self, found: Tensor) -> None:
        if not (finite := found.detach().isfinite()).all():
            raise NotFiniteError(f"ckpt={self.source} ({self.predictor.kind})", ~finite)

    def _recalled(self, sums: Footprint, accelerator: Accelerator) -> Recalled | None:
        """Return what remembers mappings ``[row]`` without gradients; None: nothing does."""
        context = sums.context
        plain = context.dim() == 2 and not context.requires_grad and context.device.type == "cpu"
        pipeline, commands = self.predictor, self.features
        if not (plain and isinstance(pipeline, Pipeline) and isinstance(commands, Commands)):
            return None
        system = System.of(accelerator)
        return self._systems.setdefault(system, Recalled(pipeline, system, self._hardware))

    @cached_property
    def _systems(self) -> dict[System, Recalled]:
        return {}

    def _departure(self, column: Column, place: int, feature: Tensor) -> Departure:
        range_of = (self.predictor.lowest[place], self.predictor.highest[place])
        value, lowest, highest = (
            exp(float(each)) if column.logged else float(each) for each in (feature, *range_of)
        )
        return Departure(column.name, column.unit, value, lowest, highest)


def _overflow(held: Tensor) -> Tensor:
    """Return what is added to the log latency for logs of shares of memories ``[..., memory]``."""
    over = held.clamp(min=0).sum(-1)
    return OVERFLOW * over + OVERFLOW * (over > SLACK)


def predicted_latency(
    path: Path, source: str, accelerator: Accelerator, penalty: float, upper: float | None = None
) -> PredictedLatency:
    """Return the latency model of a checkpoint, to be searched with on ``accelerator``.

    ``source`` is what results call the checkpoint.

    Raises ``ConfigError`` where the checkpoint is refused, predicts neither latency nor EDP, or
    has no intervals and ``upper`` asks for one.
    """
    predictor = load_predictor(path, accelerator)
    if not {"latency", "edp"} & set(predictor.schema.targets):
        raise ConfigError(
            f"ckpt={path} predicts {', '.join(predictor.schema.targets)}; "
            "legal: a predictor of latency or edp, as the energy is the nest's own"
        )
    if upper is not None and predictor.half_width(predictor.feature_mean, upper) is None:
        raise ConfigError(
            f"ckpt_upper is {upper:g}, and ckpt={path} ({predictor.kind}) has no intervals; "
            "legal: null, or the checkpoint of a model=pipeline with several members"
        )
    return PredictedLatency(predictor.to(torch.float64), penalty, source, upper)

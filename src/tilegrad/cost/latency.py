"""The seam through which a search asks for latency: the nest's own roofline, or a learned model.

A model sees a mapping through its footprint, so that one analysis prices it on many hardware
points. What the footprint's sums do not say but a model reads (factors, loop orders, bounds) it
asks to have kept beside them, as its context.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.expression import Value
from tilegrad.cost.footprint import Footprint, cycles, footprint
from tilegrad.errors import PredictionError
from tilegrad.mapping import LoopNest
from tilegrad.nest import analyse
from tilegrad.shape import Shape


@runtime_checkable
class LatencyModel(Protocol):
    """Latency of mappings on hardware; ``differentiable`` in the factors and the hardware."""

    @property
    def name(self) -> str:
        """What results call the model."""
        ...

    @property
    def differentiable(self) -> bool:
        """Whether gradients flow from the cycles to the factors and the hardware."""
        ...

    @property
    def learned(self) -> LearnedModel | None:
        """The model itself where it was fitted to measurements; None: it is the nest's own."""
        ...

    def context(
        self, nests: LoopNest, bounds: Tensor, strides: Tensor, accelerator: Accelerator
    ) -> Tensor:
        """Return what the model reads of mappings beside their sums, ``[..., context]``.

        ``bounds [..., dim]`` and ``strides [..., 4]`` broadcast with the mappings. Leading
        dimensions broadcast; the last may be 0.
        """
        ...

    def cycles(
        self, sums: Footprint, accelerator: Accelerator, hardware: Mapping[str, Value]
    ) -> Tensor:
        """Return the latency to be minimised [cycles], ``[...]``; never NaN.

        Raises ``NotFiniteError`` where the model has no finite answer. Hardware values broadcast
        with the leading dimensions of the sums.
        """
        ...


class NotFiniteError(PredictionError):
    """Of ``model``; ``where`` marks the mappings ``[...]`` without a finite latency."""

    def __init__(self, model: str, where: Tensor) -> None:
        self.model, self.where = model, where
        super().__init__(self.told(""))

    def told(self, of: str) -> str:
        """Return the message; ``of`` says of what the mappings are."""
        found, looked_at = int(self.where.sum()), self.where.numel()
        return (
            f"{self.model} predicts no finite latency for {found:,} of {looked_at:,} mappings{of}; "
            "legal: a checkpoint whose predictions are numbers (train it again, by fewer epochs or "
            "a lower learning rate where its losses were no numbers)"
        )


LEAST_DEPARTURE = 0.01


@dataclass(frozen=True)
class Departure:
    """A feature of a mapping that lies outside what a model was fitted to; with its unit."""

    feature: str
    unit: str
    value: float
    lowest: float
    highest: float

    @property
    def matters(self) -> bool:
        """Whether it is outside by a hundredth of its unit: logs of almost nothing lie apart."""
        return max(self.lowest - self.value, self.value - self.highest) >= LEAST_DEPARTURE


@runtime_checkable
class LearnedModel(LatencyModel, Protocol):
    """A model that was fitted to measurements, and holds where they lie.

    Its ``cycles`` may be more than it predicts (for mappings unlike those it was fitted to, or by
    its own uncertainty); ``predicted`` is what results report.
    """

    def calling(self, calls: Tensor) -> LearnedModel:
        """Return the model of layers whose programs call a machine's library in a given way.

        ``calls [layer, 1 + dim]`` as ``Schedules.calls``; for mappings ``[..., layer]``.
        """
        ...

    def among(self, places: Sequence[int]) -> LearnedModel:
        """Return the model of some of the layers whose calls are given."""
        ...

    def knows(self, shape: Shape) -> bool:
        """Return whether it predicts layers of a shape."""
        ...

    def predicted(
        self, sums: Footprint, accelerator: Accelerator, hardware: Mapping[str, Value]
    ) -> Tensor:
        """Return the predicted latency [cycles], ``[...]``."""
        ...

    @property
    def by_context(self) -> bool:
        """Whether mappings of one context have one latency, whatever their sums."""
        ...

    @property
    def doubling(self) -> tuple[str, ...]:
        """Parameters of the hardware that count as the next power of two."""
        ...

    def least(
        self, sums: Footprint, accelerator: Accelerator, hardware: Mapping[str, Tensor]
    ) -> Tensor | None:
        """Return cycles ``[row]`` that the mappings take at least on all ``hardware [point]``.

        Quicker to have than ``cycles`` of each point; None for a model that knows no such bound.
        """
        ...

    def factor(
        self,
        sums: Footprint,
        accelerator: Accelerator,
        hardware: Mapping[str, Value],
        level: float,
    ) -> Tensor | None:
        """Return what the ends of an interval of ``level`` multiply and divide by, ``[...]``.

        None for a model that does not know how far it may be off.
        """
        ...

    def departures(
        self, sums: Footprint, accelerator: Accelerator, hardware: Mapping[str, Value]
    ) -> list[list[Departure]]:
        """Return for each mapping ``[row]`` the features that lie outside the training range."""
        ...

    def occupied(
        self, sums: Footprint, accelerator: Accelerator, hardware: Mapping[str, Value]
    ) -> dict[str, Tensor]:
        """Return which share ``[...]`` of each memory the tiles take, where the model knows any."""
        ...


@dataclass(frozen=True)
class NestLatency:
    """The nest's own latency: the busiest of the arithmetic and all ports."""

    name: str = "nest"
    differentiable: bool = True
    learned: None = None

    def context(
        self,
        nests: LoopNest,
        bounds: Tensor,  # noqa: ARG002
        strides: Tensor,  # noqa: ARG002
        accelerator: Accelerator,  # noqa: ARG002
    ) -> Tensor:
        """Return no columns: the sums say all."""
        return nests.temporal.new_empty(*nests.batch_shape, 0)

    def cycles(
        self, sums: Footprint, accelerator: Accelerator, hardware: Mapping[str, Value]
    ) -> Tensor:
        """Return the latency ``[...]``; see ``LatencyModel.cycles``."""
        return cycles(sums, accelerator, hardware)


NEST_LATENCY = NestLatency()


def model_footprint(
    model: LatencyModel, nests: LoopNest, bounds: Tensor, strides: Tensor, accelerator: Accelerator
) -> Footprint:
    """Return the footprint of mappings, with what ``model`` reads beside the sums."""
    nest = analyse(nests, strides, accelerator)
    return footprint(nest, accelerator, model.context(nests, bounds, strides, accelerator))

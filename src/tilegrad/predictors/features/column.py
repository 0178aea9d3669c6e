"""The interface of feature sets, and how their columns are named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.expression import Value
from tilegrad.cost.footprint import Footprint
from tilegrad.mapping import LoopNest


@dataclass(frozen=True)
class Column:
    """A feature: its name, dotted from the general to the particular, and its unit.

    ``logged``: the feature is the natural log of what the unit says.
    """

    name: str
    unit: str
    logged: bool = True


class FeatureSet(Protocol):
    """Columns computed from schedules, the natural log of what their unit says.

    A schedule's columns follow from what the mapping alone says (``context``), its footprint and
    the hardware, so that a mapping is looked at once and priced on many hardware points.
    """

    @property
    def name(self) -> str:
        """The name in configs and checkpoints."""
        ...

    @property
    def limits(self) -> tuple[str, ...]:
        """Columns that are above 0 where a tile does not fit, beyond what the nest demands.

        Gemmini's memories hold whole rows of the array, where the nest counts words.
        """
        ...

    def schema(self, accelerator: Accelerator) -> tuple[Column, ...]:
        """Return the columns."""
        ...

    def measured_by(self, programs: str, calls: Tensor | None = None) -> FeatureSet:
        """Return the set that reads mappings as programs of that kind ran them.

        ``programs`` is one of ``tilegrad.schedules.PROGRAMS``, ``calls`` are those of the rows that
        will be read (``Schedules.calls``).
        """
        ...

    def unread(self, nests: LoopNest, accelerator: Accelerator) -> Tensor:
        """Return which mappings ``[...]`` have a loop that no column tells."""
        ...

    def context(
        self, nests: LoopNest, bounds: Tensor, strides: Tensor, accelerator: Accelerator
    ) -> Tensor:
        """Return what does not depend on the hardware, ``[..., context]``; may be empty.

        ``bounds [..., dim]`` and ``strides [..., 4]`` broadcast with the nests' batch.
        """
        ...

    def columns(
        self,
        sums: Footprint,
        context: Tensor,
        accelerator: Accelerator,
        hardware: Mapping[str, Value],
    ) -> Tensor:
        """Return the features ``[..., column]``; hardware values broadcast with the batch."""
        ...

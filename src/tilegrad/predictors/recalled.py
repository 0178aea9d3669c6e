"""A pipeline's cycles of many mappings on many hardware points, as a search asks for them.

Of what a prediction takes, the sizes of the memories change two columns and nothing else; so the
commands, the stages and most of the correction are worked out once for each tiling on each array.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from tilegrad.accelerator.expression import Value
from tilegrad.machines.gemmini.system import System
from tilegrad.predictors.features.commands import Commands, asked, counted, occupied, stated
from tilegrad.predictors.pipeline import Pipeline
from tilegrad.predictors.remembered import Remembered

PAIRS = 1024
"""Mappings on a hardware point that are finished together, in the processor's cache."""


@dataclass(frozen=True)
class Recalled:
    """Predictions of ``predictor``, in double precision, of programs on a ``system``.

    ``hardware`` are the places of columns of the hardware; departures from their range are summed.
    """

    predictor: Pipeline
    system: System
    hardware: Sequence[int]

    def log_cycles(
        self, context: Tensor, hardware: Mapping[str, Value]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return log cycles ``[row]``, how far the hardware is outside the range, and occupancies.

        The latter ``[row, memory]``; of contexts ``[row, column]`` of ``features=commands``.
        """
        rows, *sizes = asked(context, hardware)
        found = [self._finished(*part) for part in _parts(rows, *sizes)]
        logs, beyond, held = (torch.cat(each) for each in zip(*found, strict=True))
        return logs, beyond, held

    def least(self, context: Tensor, hardware: Mapping[str, Value]) -> Tensor:
        """Return log cycles ``[row]`` that no sizes of memories go below."""
        rows, *_ = asked(context, hardware)
        return torch.cat([self._least(part) for (part,) in _parts(rows)])

    def _least(self, rows: Tensor) -> Tensor:
        return self.predictor.least_of(self._known(rows)[:, _OWN:])

    def _finished(
        self, rows: Tensor, scratchpad: Tensor, accumulator: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        known = self._known(rows)
        operands, results, beyond = known[:, :_OWN].unbind(-1)
        held = torch.stack(occupied(operands, results, scratchpad, accumulator), -1)
        return self.predictor.after(known[:, _OWN:], held, self._memories), beyond, held

    @cached_property
    def _memories(self) -> list[int]:
        return [self.predictor.schema.columns.index(name) for name in Commands.limits]

    @cached_property
    def _known(self) -> Remembered:
        return Remembered(self._worked_out)

    def _worked_out(self, rows: Tensor) -> Tensor:
        """Return bytes of operands and sums, departures, and the rest of it, ``[row, column]``."""
        *found, operands, results = counted(self.system, rows).unbind(-1)
        nothing = torch.zeros_like(operands)
        columns = torch.stack([*found, nothing, nothing, *stated(self.system, operands)], -1)
        beyond = self.predictor.beyond_range(columns)[:, self.hardware].sum(-1)
        own = torch.stack([operands, results, beyond], -1)
        return torch.cat([own, self.predictor.before(columns, self._memories)], -1)


_OWN = 3
"""Columns of what is known that are not the predictor's."""


def _parts(*columns: Tensor) -> Sequence[tuple[Tensor, ...]]:
    return list(zip(*(column.split(PAIRS) for column in columns), strict=True))

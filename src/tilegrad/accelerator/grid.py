"""Figures measured over a grid of sizes, between and beyond its points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from math import floor, log2
from typing import TYPE_CHECKING, Any

from tilegrad.accelerator.expression import Value

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Grid:
    """Positive figures over two sizes, each of which doubles from one grid point to the next.

    Between the points, and on from the outermost two, they are straight lines in logarithms: a
    figure grows with a power of the size. ``logs [row][column][figure]`` are to base 2.
    """

    logs: tuple[tuple[tuple[float, ...], ...], ...]
    rows: tuple[float, ...]
    columns: tuple[float, ...]
    _on: dict[torch.device, Tensor] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(
        cls, table: Iterable[Mapping[str, str]], row: str, column: str, figures: Sequence[str]
    ) -> Grid:
        """Return the grid of a table's ``figures`` over its columns ``row`` and ``column``."""
        known = {
            (float(line[row]), float(line[column])): tuple(log2(float(line[n])) for n in figures)
            for line in table
        }
        rows, columns = (tuple(sorted({key[axis] for key in known})) for axis in (0, 1))
        logs = tuple(tuple(known[r, c] for c in columns) for r in rows)
        return cls(logs, rows, columns)

    def at(self, row: Value, column: Value) -> list[Value]:
        """Return each figure ``[...]`` at sizes that broadcast, with gradients."""
        x, i = _place(row, self.rows)
        y, j = _place(column, self.columns)
        cell = i * (len(self.columns) - 1) + j
        if isinstance(cell, (int, float)):
            return [_figure(x, y, terms) for terms in self._cells[int(cell)]]
        terms = self._cells_on(cell.device)[cell].unbind(-1)
        return list(_figure(_beside(x), _beside(y), terms).unbind(-1))

    def holds(self, row: float, column: float) -> bool:
        """Return whether sizes lie between grid points, not beyond."""
        return all(
            knots[0] <= size <= knots[-1]
            for size, knots in ((row, self.rows), (column, self.columns))
        )

    def _cells_on(self, device: torch.device) -> Tensor:
        """Return the terms ``[cell, figure, term]``."""
        import torch

        cells = self._on.get(device)
        if cells is None:
            cells = torch.tensor(self._cells, dtype=torch.float64, device=device)
            # A tensor of a mode (FakeTensor) is of no use outside of it.
            if type(cells) is torch.Tensor:
                self._on[device] = cells
        return cells

    @cached_property
    def _cells(self) -> list[list[list[float]]]:
        """The terms ``[cell][figure][term]`` (see ``_figure``), cells row by row."""
        return [
            [_terms(*corners) for corners in zip(*low, *high, strict=True)]
            for low_row, high_row in pairwise(self.logs)
            for low, high in zip(pairwise(low_row), pairwise(high_row), strict=True)
        ]


def _terms(low: float, by_column: float, by_row: float, by_both: float) -> list[float]:
    """Return the terms of a cell whose corners have these logarithms."""
    return [low, by_row - low, by_column - low, by_both - by_row - by_column + low]


def _figure(x: Value, y: Value, terms: Sequence[Any]) -> Any:
    low, by_x, by_y, by_both = terms
    return 2.0 ** (low + x * by_x + y * (by_y + x * by_both))


def _beside(position: Value) -> Value:
    """Return positions that broadcast with all figures."""
    return position if isinstance(position, (int, float)) else position.unsqueeze(-1)


def _place(size: Value, knots: Sequence[float]) -> tuple[Value, Value]:
    """Return how far each size lies on from the grid point below it, and which that is."""
    last = len(knots) - 2
    if isinstance(size, (int, float)):
        position = log2(size / knots[0])
        index = min(max(floor(position), 0), last)
        return position - index, index
    steps = (size / knots[0]).log2()
    below = steps.detach().nan_to_num().floor().clamp(0, last).long()
    return steps - below, below

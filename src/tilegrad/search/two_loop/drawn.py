"""Mappings of one layer on several hardware points: each point has candidates of its own."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from tilegrad.cost.capacity import fits
from tilegrad.cost.footprint import energy_pj
from tilegrad.cost.hardware import Hardware
from tilegrad.cost.latency import LatencyModel, model_footprint
from tilegrad.mapping import LoopNest, concatenate
from tilegrad.nest.layout import Layout
from tilegrad.search.gradient.prices import NestPrices
from tilegrad.search.tables import LayerTable


class Drawn:
    """A layer's candidates on hardware ``[point]``: only such as fit their point are kept."""

    def __init__(self, table: LayerTable, hardware: Hardware) -> None:
        self.table = table
        self.hardware = hardware
        self.count = max((len(size) for size in hardware.values()), default=1)
        self.have = torch.zeros(self.count, dtype=torch.int64)
        self._nests: list[LoopNest] = []
        self._points: list[Tensor] = []

    def add(
        self, nests: LoopNest, points: Int64[Tensor, " row"], most: Int64[Tensor, " point"]
    ) -> None:
        """Keep those of ``nests [row, level, dim]`` that fit, until a point has its ``most``.

        ``points [row]`` are theirs, ascending.
        """
        fitting = self._fits(nests, points).nonzero().flatten()
        place = self.have[points[fitting]] + _ranks(points[fitting])
        kept = fitting[place < most[points[fitting]]]
        self._nests.append(nests[kept])
        self._points.append(points[kept])
        self.have += points[kept].bincount(minlength=self.count)

    def _fits(self, nests: LoopNest, points: Tensor) -> Bool[Tensor, " row"]:
        accelerator = self.table.space.accelerator
        layout = Layout(nests, self.table.strides, accelerator)
        return fits(layout, accelerator, self._at(points)).expand(len(points))

    def _at(self, points: Tensor) -> Hardware:
        """Return the hardware of rows ``[row]``."""
        return {name: size[points] for name, size in self.hardware.items()}

    def at(self, point: int) -> dict[str, float]:
        """Return the sizes of one point."""
        return {name: float(size[point]) for name, size in self.hardware.items()}

    def settle(self) -> None:
        """Order the candidates by points."""
        points = torch.cat(self._points)
        order = points.argsort(stable=True)
        self._points = [points[order]]
        self._nests = [concatenate(self._nests)[order]]

    def __len__(self) -> int:
        return int(self.have.sum())

    def prices(self, model: LatencyModel) -> NestPrices:
        """Return the prices ``[point, row]`` of settled candidates, infinite beyond a point's."""
        at = self._at(self._points[0])
        energy, latency = priced(self.table, self._nests[0], model, at)
        return NestPrices(self._table(energy), self._table(latency))

    def _table(self, figures: Tensor) -> Tensor:
        most = max(1, int(self.have.max()))
        table = torch.full((self.count, most), torch.inf, dtype=torch.float64)
        table[self._points[0], _ranks(self._points[0])] = figures
        return table

    def alone(self, point: int) -> LoopNest:
        """Return a point's settled candidates, in the order of its prices."""
        end = int(self.have[: point + 1].sum())
        return self._nests[0][torch.arange(end - int(self.have[point]), end)]

    def picked(self, rows: Int64[Tensor, " point"]) -> LoopNest:
        """Return each point's candidate of a row of the prices, ``[point]``.

        The first there is where a point has none.
        """
        starts = self.have.cumsum(0) - self.have
        return self._nests[0][(starts + rows).clamp(max=len(self) - 1)]


def priced(
    table: LayerTable, nests: LoopNest, model: LatencyModel, hardware: Hardware
) -> tuple[Float64[Tensor, " row"], Float64[Tensor, " row"]]:
    """Return energy [pJ] and latency [cycles] of a layer's mappings that fit ``hardware [row]``."""
    accelerator, rows = table.space.accelerator, len(nests.temporal)
    sums = model_footprint(model, nests, table.bounds, table.strides, accelerator)
    energy = energy_pj(sums, accelerator, hardware).expand(rows)
    return energy, model.cycles(sums, accelerator, hardware).expand(rows)


def _ranks(points: Tensor) -> Tensor:
    """Return how many of ascending ``points [row]`` before each row are the same."""
    counts = points.bincount()
    starts = counts.cumsum(0) - counts
    return torch.arange(len(points)) - starts[points]

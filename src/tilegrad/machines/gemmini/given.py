"""A call of Gemmini's library with its tile, which need not divide the layer.

As text: ``tiled_matmul tile_I=8 tile_J=4 tile_K=4`` in blocks of the array, ``tiled_conv batches=1
orows=7 ocols=7 ochs=32 krows=3 kcols=3 kchs=64``, of a group where there are several, or
``tiled_conv_dw batches=1 orows=7 ocols=7 krows=3 kcols=3``, of a channel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.machines.gemmini.calls import CALLS, CONVOLUTION, DEPTHWISE, PRODUCT
from tilegrad.shape.conv import DIMS

TILES: Mapping[str, Mapping[str, str]] = {
    PRODUCT: {"tile_I": "P", "tile_J": "K", "tile_K": "C"},
    CONVOLUTION: {
        "batches": "N",
        "orows": "Q",
        "ocols": "P",
        "ochs": "K",
        "krows": "S",
        "kcols": "R",
        "kchs": "C",
    },
    DEPTHWISE: {"batches": "N", "orows": "Q", "ocols": "P", "krows": "S", "kcols": "R"},
}
"""The sizes of each call's tile, and the dims that they are of; a product's rows are those of P."""


@dataclass(frozen=True)
class GivenCall:
    """One of ``CALLS`` but the exporter's own, and its tile's sizes by the library's names."""

    name: str
    tile: Mapping[str, int]

    def __str__(self) -> str:
        return f"{self.name} {self.sizes}"

    @property
    def sizes(self) -> str:
        """The tile as text."""
        return " ".join(f"{name}={size}" for name, size in self.tile.items())

    @property
    def is_product(self) -> bool:
        """Whether ``tiled_matmul`` runs it."""
        return self.name == PRODUCT

    @classmethod
    def read(cls, text: str) -> GivenCall | None:
        """Return the call whose text this is; None: of none."""
        name, _, tile = text.partition(" ")
        found = cls.of(tile)
        return found if found is not None and found.name == name else None

    @classmethod
    def of(cls, tile: str) -> GivenCall | None:
        """Return the call that takes a tile of these sizes; None: there is none."""
        sizes = {name: int(size) for name, size in re.findall(r"(\w+)=([1-9]\d*)(?=\s|$)", tile)}
        for call, names in TILES.items():
            if sizes.keys() == names.keys():
                return cls(call, sizes)
        return None

    @classmethod
    def of_extents(cls, name: str, tile: Mapping[str, int]) -> GivenCall:
        """Return a convolution's call, depthwise or not, with a tile's extents by dim."""
        return cls(name, {size: tile[dim] for size, dim in TILES[name].items()})

    def extents(self, bounds: Mapping[str, float], side: float) -> dict[str, float]:
        """Return the tile's extents by dim in a layer; a product's rows, all pixels', as P's.

        ``side`` is the array's; no extent is larger than the layer's own.
        """
        asked = {dim: float(self.tile[name]) for name, dim in TILES[self.name].items()}
        ones = dict.fromkeys(DIMS, 1.0)
        if not self.is_product:
            return ones | {dim: min(extent, bounds[dim]) for dim, extent in asked.items()}
        most = {**bounds, "P": bounds["P"] * bounds["Q"] * bounds["N"]}
        return ones | {dim: min(extent * side, most[dim]) for dim, extent in asked.items()}

    def row(self, bounds: Mapping[str, float], side: float) -> Tensor:
        """Return the call as ``Schedules.calls`` has it, ``[1 + dim]``."""
        extents = self.extents(bounds, side)
        sizes = [float(CALLS.index(self.name)), *(extents[dim] for dim in DIMS)]
        return torch.tensor(sizes, dtype=torch.float64)

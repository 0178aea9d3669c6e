"""Designs as whole numbers: for each layer which factors of each dim, and which loop order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tilegrad.mapping import LoopNest, stack
from tilegrad.search.tables import LayerTable

Genes = NDArray[np.int64]
"""Designs ``[design, gene]``."""

Floats = NDArray[np.float64]
"""Figures of designs ``[design]``."""

POWERS = (1.0, 2.0, 4.0, 8.0)
"""From uniform to mostly small tiles: what random genes are drawn with, design by design."""

NEAR = 8
"""Tilings of a dim that are a step from one."""

REFUSED = 1e300
"""Objective of what breaks a limit; such are told apart by how far they do."""


class Genome:
    """Genes of all layers, one after another: those dims' that have a choice, then the order's.

    A dim's gene counts its legal factors, smallest tiles first, so that any crossing and any
    mutation leaves factors whose product is the bound; 0 everywhere is all loops in DRAM.
    """

    def __init__(self, tables: Sequence[LayerTable]) -> None:
        self.tables = tables
        self.choices = [
            [each[each.prod(1).argsort(stable=True)] for each in table.choices] for table in tables
        ]
        self.dims = [
            [dim for dim, each in enumerate(choices) if len(each) > 1] for choices in self.choices
        ]

    @cached_property
    def counts(self) -> Genes:
        """How many values each gene has, ``[gene]``."""
        counts = [
            [*(len(choices[dim]) for dim in dims), len(table.orders)]
            for table, choices, dims in zip(self.tables, self.choices, self.dims, strict=True)
        ]
        return np.array([count for layer in counts for count in layer], dtype=np.int64)

    @cached_property
    def layers(self) -> Genes:
        """The layer of each gene, ``[gene]``."""
        return np.repeat(np.arange(len(self.tables)), [len(dims) + 1 for dims in self.dims])

    def random(self, count: int, random: np.random.Generator) -> Genes:
        """Return random designs, the smallest first."""
        powers = random.choice(POWERS, (count, len(self.tables)))[:, self.layers]
        shares = random.random((count, len(self.counts))) ** powers
        genes = (shares * self.counts).astype(np.int64)
        genes[:1] = 0
        return genes

    def near(self, genes: Genes, wanted: NDArray[np.bool_], which: Floats) -> Genes:
        """Return designs whose ``wanted`` tilings are one of the ``NEAR`` nearest in log space.

        ``which [design, gene]`` of 0 to 1 chooses. Loop orders stay: none is near another.
        """
        found = genes.copy()
        for gene, choices in self._tilings:
            rows = np.flatnonzero(wanted[:, gene])
            if not len(rows):
                continue
            own = torch.from_numpy(genes[rows, gene])
            distance = torch.cdist(choices[own], choices, p=1)
            distance[torch.arange(len(rows)), own] = torch.inf
            count = min(NEAR, len(choices) - 1)
            nearest = distance.topk(count, largest=False).indices.numpy()
            picked = (which[rows, gene] * count).astype(np.int64)
            found[rows, gene] = nearest[np.arange(len(rows)), picked]
        return found

    @cached_property
    def _tilings(self) -> list[tuple[int, Tensor]]:
        """Genes that are tilings, each with the logs of its choices' factors."""
        tilings, gene = [], 0
        for choices, dims in zip(self.choices, self.dims, strict=True):
            tilings += [(gene + place, choices[dim].log()) for place, dim in enumerate(dims)]
            gene += len(dims) + 1
        return tilings

    def nests(self, genes: Genes) -> LoopNest:
        """Return the designs ``[design, layer]``."""
        places = [0, *accumulate(len(dims) + 1 for dims in self.dims)]
        values = torch.from_numpy(np.ascontiguousarray(genes))
        nests = []
        for layer, table in enumerate(self.tables):
            factors = torch.ones(len(values), len(table.space.slots), dtype=torch.float64)
            own = values[:, places[layer] : places[layer + 1]]
            for dim, gene in zip(self.dims[layer], own.unbind(1)[:-1], strict=True):
                factors[:, list(table.space.slots_of[dim])] = self.choices[layer][dim][gene]
            nests.append(table.nests(factors, own[:, -1]))
        return stack(nests).each(lambda tensor: tensor.movedim(0, 1))

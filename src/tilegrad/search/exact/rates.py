"""How the energies of words depend on the sizes of hardware."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from tilegrad.accelerator import Accelerator
from tilegrad.cost.footprint import energy_rates

PROBES = (1.0, 2.0, 37.0, 1000.0)
"""Multiples of the least sizes at which energies are compared."""


@dataclass(frozen=True)
class Rates:
    """Which columns of ``Footprint.energy_words`` cost the same whatever the sizes, which alike.

    ``constant [column]`` are pJ per word, 0 for those of ``groups`` (columns of equal rates).
    """

    constant: NDArray[np.float64]
    groups: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, accelerator: Accelerator, corners: Sequence[Mapping[str, float]]) -> Rates:
        """Return the groups for meshes at the ``corners`` of a box (which hold fixed sizes too)."""
        found = []
        for corner in corners:
            for times in PROBES:
                sizes = {
                    name: corner.get(name, max(1.0, each.minimum) * times)
                    for name, each in accelerator.parameters.items()
                }
                found.append(energy_rates(accelerator, sizes))
        table = torch.stack(found).numpy()
        same = (table == table[0]).all(0)
        columns: dict[bytes, list[int]] = {}
        for column in np.flatnonzero(~same).tolist():
            columns.setdefault(table[:, column].tobytes(), []).append(column)
        return cls(np.where(same, table[0], 0.0), tuple(map(tuple, columns.values())))

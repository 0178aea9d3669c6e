"""Which rows share a layer, which a machine, and what those are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

import numpy as np
import torch
from torch import Tensor

from tilegrad.errors import DataError, unknown
from tilegrad.shape.conv import DIMS, STRIDES
from tilegrad.workload import Problem
from tilegrad.workload.tables import read_networks

Layer = tuple[int, ...]
"""Bounds and strides."""


def group(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return for ``rows [row, column]`` an id per row and the place of each id's first row.

    Ids count from 0 in the order of the first rows; equal rows have equal ids.
    """
    _, first, ids = np.unique(rows.numpy(), axis=0, return_index=True, return_inverse=True)
    rank = np.empty_like(first)
    rank[first.argsort()] = np.arange(len(first))
    return torch.from_numpy(rank[ids.reshape(-1)]), torch.from_numpy(np.sort(first))


def machine_name(accelerator: str, hardware: Mapping[str, float]) -> str:
    """Return ``pe_dim=16, scratchpad_kb=128``; the accelerator's name where nothing varies."""
    return ", ".join(f"{name}={value:.10g}" for name, value in hardware.items()) or accelerator


def layer_name(bounds: Sequence[float], strides: Sequence[float]) -> str:
    """Return ``R3 S3 P28 Q28 C8 K256, Wstride 2``: what is not 1."""
    loops = [f"{dim}{size:.0f}" for dim, size in zip(DIMS, bounds, strict=True) if size > 1]
    steps = [f"{name} {size:.0f}" for name, size in zip(STRIDES, strides, strict=True) if size > 1]
    return ", ".join([" ".join(loops) or "all 1", *steps])


class Networks:
    """The layers of named networks, to tell which network a layer belongs to.

    Where several have it, the one named first. Raises ``DataError`` for an unknown name.
    """

    def __init__(self, names: Sequence[str]) -> None:
        known = _known_networks()
        for name in names:
            if name not in known:
                raise DataError(unknown("network", name, known, "source.networks"))
        self.names = tuple(names)
        self._found: dict[Layer, tuple[int, str]] = {}
        for number, name in enumerate(names):
            for problem in known[name]:
                key = (*problem.bounds, *problem.strides)
                self._found.setdefault(key, (number, problem.name))

    def find(self, bounds: Sequence[float], strides: Sequence[float]) -> tuple[int, str] | None:
        """Return the number of a layer's network and the layer's name there."""
        return self._found.get(tuple(int(value) for value in (*bounds, *strides)))


@cache
def _known_networks() -> dict[str, tuple[Problem, ...]]:
    """Return the packaged networks and those that only the published tables have."""
    tables = (
        resources.files("tilegrad.workload") / "networks.csv",
        resources.files("tilegrad.schedules") / "networks.csv",
    )
    networks: dict[str, tuple[Problem, ...]] = {}
    for table in tables:
        with resources.as_file(table) as path:
            networks |= {str(name): layers for name, layers in read_networks(path).items()}
    return networks

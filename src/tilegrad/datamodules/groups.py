"""What schedules can be parted by: layers, machines, networks, mappings."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.predictors.features.raw import loops_inside
from tilegrad.schedules import Schedules

_ROWS_AT_ONCE = 16_384


@dataclass(frozen=True)
class Groups:
    """What splits may go by: ids ``[row]``, names by id, and ``machine_size [machine]``.

    ``mapping`` are ids of equal loop nests of a layer, for the splits that ask for them.
    """

    layer: Tensor
    machine: Tensor
    mapping: Tensor | None
    network: Tensor | None
    layer_names: tuple[str, ...]
    machine_names: tuple[str, ...]
    network_names: tuple[str, ...]
    machine_size: Tensor


def groups_of(schedules: Schedules, mappings: bool) -> Groups:
    """Return what schedules can be parted by, with or without the ids of mappings."""
    return Groups(
        schedules.layer,
        schedules.machine,
        mapping_ids(schedules) if mappings else None,
        schedules.network,
        schedules.layer_names,
        schedules.machine_names,
        schedules.network_names,
        machine_sizes(schedules),
    )


def group_ids(groups: Groups, what: str) -> Tensor:
    """Return the ids ``[row]`` of layers, machines or mappings; rows are groups of their own."""
    ids = {"layer": groups.layer, "machine": groups.machine, "mapping": groups.mapping}.get(what)
    return torch.arange(len(groups.layer)) if ids is None else ids


def mapping_ids(schedules: Schedules) -> Tensor:
    """Return ids ``[row]`` from 0, equal for the same loops of the same layer.

    By a hash of factors and of how many loops lie inside each: two mappings whose hashes collide
    would only be kept together. Integers wrap around, so that no sum depends on its order.
    """
    chunks = torch.arange(len(schedules)).split(_ROWS_AT_ONCE)
    return torch.cat([_hashes(schedules[chunk]) for chunk in chunks]).unique(return_inverse=True)[1]


def _hashes(schedules: Schedules) -> Tensor:
    nests = schedules.nests
    parts = (nests.temporal.flatten(1), nests.spatial.flatten(1), loops_inside(nests).flatten(1))
    codes = torch.cat([schedules.layer.unsqueeze(1), *(part.round().long() for part in parts)], 1)
    random = torch.Generator().manual_seed(0)
    weights = torch.randint(-(2**62), 2**62, (codes.shape[1],), generator=random)
    return (codes * weights).sum(1)


def machine_sizes(schedules: Schedules) -> Tensor:
    """Return one size ``[machine]`` to order machines by: the sum of their parameters' logs.

    That of a machine without a row is 0.
    """
    size = torch.zeros(len(schedules.machine_names), dtype=torch.float64)
    for values in schedules.hardware.values():
        logs = torch.zeros_like(size)
        logs[schedules.machine] = values.log()
        size += logs
    return size

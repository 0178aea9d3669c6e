"""The layers, machines and networks that rows of schedules refer to by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.schedules.identity import Networks, group, layer_name, machine_name
from tilegrad.schedules.schedule_rows import ScheduleRows
from tilegrad.schedules.schedules import Schedules
from tilegrad.tables.rows import TableRows

Ids = tuple[Tensor, Tensor]
"""Layer and machine of each row, int64 ``[row]``."""


@dataclass(frozen=True)
class Catalogue:
    """Layers (``bounds [layer, dim]``, ``strides [layer, 4]``), machines (each parameter
    ``[machine]``) and the layers' networks (``[layer]`` or None), with their names.
    """

    accelerator: Accelerator
    bounds: Tensor
    strides: Tensor
    hardware: dict[str, Tensor]
    network: Tensor | None
    layer_names: tuple[str, ...]
    machine_names: tuple[str, ...]
    network_names: tuple[str, ...]

    def schedules(self, rows: ScheduleRows) -> Schedules:
        """Return the schedules of rows whose ids are of this catalogue."""
        layer, machine = rows.layer, rows.machine
        return Schedules(
            self.accelerator,
            rows.nests,
            self.bounds[layer],
            self.strides[layer],
            {name: values[machine] for name, values in self.hardware.items()},
            rows.targets,
            layer,
            machine,
            None if self.network is None else self.network[layer],
            self.layer_names,
            self.machine_names,
            self.network_names,
            calls=rows.calls,
        )


def catalogue_of(
    rows: TableRows, accelerator: Accelerator, networks: Networks
) -> tuple[Catalogue, Ids]:
    """Return the catalogue of a table's rows, in the order of their first rows, and the ids."""
    hardware = torch.empty(len(rows), len(accelerator.parameters), dtype=torch.float64)
    for column, name in enumerate(accelerator.parameters):
        hardware[:, column] = rows.hardware[name]
    layer, first_layer = group(torch.cat([rows.bounds, rows.strides], 1))
    machine, first_machine = group(hardware)
    bounds, strides = rows.bounds[first_layer], rows.strides[first_layer]
    network, network_names, layer_names = _layers(bounds.tolist(), strides.tolist(), networks)
    machines = {name: rows.hardware[name][first_machine] for name in accelerator.parameters}
    catalogue = Catalogue(
        accelerator,
        bounds,
        strides,
        machines,
        network,
        layer_names,
        machine_names(accelerator, machines, len(first_machine)),
        network_names,
    )
    return catalogue, (layer, machine)


def machine_names(
    accelerator: Accelerator, hardware: Mapping[str, Tensor], count: int
) -> tuple[str, ...]:
    """Return the names of ``count`` machines, each parameter ``[machine]``."""
    columns = [values.tolist() for values in hardware.values()]
    machines = zip(*columns, strict=True) if columns else [()] * count
    return tuple(
        machine_name(accelerator.name, dict(zip(hardware, machine, strict=True)))
        for machine in machines
    )


def _layers(
    bounds: Sequence[Sequence[float]], strides: Sequence[Sequence[float]], networks: Networks
) -> tuple[Tensor | None, tuple[str, ...], tuple[str, ...]]:
    """Return each layer's network id ``[layer]``, the networks' names and the layers' names.

    Layers of none of the networks share a last id.
    """
    layers = list(zip(bounds, strides, strict=True))
    found = [networks.find(*layer) for layer in layers]
    layer_names = tuple(
        f"{networks.names[place[0]]} {place[1]}" if place else layer_name(*layer)
        for place, layer in zip(found, layers, strict=True)
    )
    if not any(found):
        return None, (), layer_names
    numbers = [place[0] if place else len(networks.names) for place in found]
    used = list(dict.fromkeys(numbers))
    names = (*networks.names, "none of them")
    ids = torch.tensor([used.index(number) for number in numbers])
    return ids, tuple(names[number] for number in used), layer_names

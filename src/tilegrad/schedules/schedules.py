"""Schedules: mappings of layers on accelerators of one kind, with what was measured of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.mapping import LoopNest

TARGETS = ("latency", "energy", "edp")
"""Cycles, uJ, and uJ * cycles: what a source may have measured."""

EXPORTED, PUBLISHED = PROGRAMS = ("exported", "published")
"""Whose programs ran the mappings, where a machine did: those that ``tilegrad export`` writes, or
those of the published measurements."""


@dataclass(frozen=True)
class Finding:
    """Something about a source that its user should know: what, how many rows, the first one.

    ``left_out`` says whether those rows are not among the schedules.
    """

    what: str
    rows: int
    first: str
    left_out: bool = False

    def __str__(self) -> str:
        fate = " (left out)" if self.left_out else ""
        return f"{self.rows:,} x {self.what}{fate}; first: {self.first}"


@dataclass(frozen=True)
class Schedules:
    """Rows of (hardware, layer, mapping, measurements), in the order of their source.

    - ``nests [row, level, dim]``: the mappings;
    - ``bounds [row, dim]`` and ``strides [row, 4]``: the layers, float64;
    - ``hardware``: each parameter of the accelerator ``[row]``, float64;
    - ``targets``: those of ``TARGETS`` that the source has, ``[row]``, float64;
    - ``layer [row]``: int64 id, equal for equal bounds and strides;
    - ``machine [row]``: int64 id, equal for equal hardware;
    - ``network [row]``: int64 id of the layer's network, None where the source does not know it.

    Ids count from 0 in the order of their first row and index the names. ``findings`` are about
    the source as it was read, also in a selection of rows. ``programs`` is one of ``PROGRAMS``;
    ``calls [row, 1 + dim]`` says which call of Gemmini's library ran a row and with which tile, as
    ``tilegrad.schedules.called`` reads them; None: all as exported.
    """

    accelerator: Accelerator
    nests: LoopNest
    bounds: Tensor
    strides: Tensor
    hardware: dict[str, Tensor]
    targets: dict[str, Tensor]
    layer: Tensor
    machine: Tensor
    network: Tensor | None
    layer_names: tuple[str, ...]
    machine_names: tuple[str, ...]
    network_names: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    programs: str = EXPORTED
    calls: Tensor | None = None

    def __len__(self) -> int:
        return len(self.layer)

    def __getitem__(self, rows: Tensor | slice) -> Schedules:
        """Return the rows chosen by places, a mask or a slice; ids and names stay."""
        return Schedules(
            self.accelerator,
            self.nests[rows],
            self.bounds[rows],
            self.strides[rows],
            {name: values[rows] for name, values in self.hardware.items()},
            {name: values[rows] for name, values in self.targets.items()},
            self.layer[rows],
            self.machine[rows],
            None if self.network is None else self.network[rows],
            self.layer_names,
            self.machine_names,
            self.network_names,
            self.findings,
            self.programs,
            None if self.calls is None else self.calls[rows],
        )

    def noting(self, *findings: Finding) -> Schedules:
        """Return the schedules with further findings."""
        return replace(self, findings=(*self.findings, *findings))

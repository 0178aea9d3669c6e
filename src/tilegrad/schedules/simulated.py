"""Simulated schedules: random machines x layers x random mappings, labelled by the nest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import torch
from torch import Tensor

from tilegrad import __version__
from tilegrad.accelerator import Accelerator, accelerator_digest
from tilegrad.cost.analytical import layer_cost
from tilegrad.errors import ConfigError
from tilegrad.fingerprint.digests import digest
from tilegrad.nest import analyse
from tilegrad.schedules.catalogue import Catalogue, machine_names
from tilegrad.schedules.choices import LayerChoices
from tilegrad.schedules.columns import encode
from tilegrad.schedules.download import cache_directory
from tilegrad.schedules.drawing import Machines, draw_mappings
from tilegrad.schedules.ranges import Range, draw_machines, hardware_ranges
from tilegrad.schedules.reading import Progress
from tilegrad.schedules.schedule_rows import ScheduleRows
from tilegrad.schedules.schedules import Finding, Schedules
from tilegrad.schedules.shards import Shards
from tilegrad.shape.conv import CONV
from tilegrad.workload import Workload

FORMAT = 1
"""Changes whenever the same config would give other schedules."""

PREVIEW = "preview.png"

SHARD_ROWS = 20_480
"""Rows of a shard, about: few enough for the processor's cache, many for the overhead."""


@dataclass(frozen=True)
class SimulatedSchedules:
    """``machines`` random machines x every layer of ``workload`` x ``each`` random mappings.

    ``hardware`` gives the range of each parameter (a number, a list, or low and high), null the
    usual ones. Kept in ``cache`` (null: the user's cache directory) and made only once.
    ``workers`` threads (null: one per processor) do not change what is made.
    """

    accelerator: Accelerator
    workload: Workload
    machines: int = 2048
    each: int = 10
    hardware: Mapping[str, object] | None = None
    seed: int = 0
    cache: str | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        for name, value, least in (
            ("machines", self.machines, 1),
            ("each", self.each, 1),
            ("seed", self.seed, 0),
            ("workers", self.workers if self.workers is not None else 1, 1),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigError(f"source.{name} is {value!r}; legal: an integer >= {least}")
        if not isinstance(self.accelerator, Accelerator):
            raise ConfigError(f"source.accelerator is {self.accelerator!r}; legal: an accelerator")
        if not isinstance(self.workload, Workload):
            raise ConfigError(f"source.workload is {self.workload!r}; legal: a workload")
        for layer in self.workload:
            if layer.shape != CONV:
                raise ConfigError(
                    f"source.workload: layer {layer.name!r} is a {layer.shape.told}, for which "
                    "there are no schedules; legal: conv of one group (a matmul is one of ones)"
                )
        hardware_ranges(self.accelerator, self.hardware)

    def __len__(self) -> int:
        return len(self.catalogue.machine_names) * len(self.workload) * self.each

    def load(self, progress: Progress | None = None) -> Schedules:
        """Return all schedules; what the cache lacks is made first, a preview among it."""
        found = self._shards.load(self.make, progress).noting(*self._findings())
        picture = self.directory / PREVIEW
        if not picture.exists():
            # Imported here: drawing takes a second to load, and most runs need it not.
            from tilegrad.schedules.preview import save_preview

            save_preview(found, picture)
        return found

    def stream(self, progress: Progress | None = None) -> Iterator[Schedules]:
        """Yield the schedules in parts, in the order of ``load``; the cache is filled first.

        A part holds one layer's schedules on up to ``SHARD_ROWS / each`` machines.
        """
        return self._shards.stream(self.make, progress)

    @property
    def directory(self) -> Path:
        """Where these schedules are kept; another config has another directory."""
        parent = Path(self.cache) if self.cache else cache_directory() / "schedules"
        return parent / f"{self.accelerator.name}-{self.workload.name}-{self._digest}"

    @cached_property
    def catalogue(self) -> Catalogue:
        """The layers and machines."""
        random = generator(self.seed, "machines")
        first = LayerChoices(self.workload.layers[0], self.accelerator, self._widest)
        # Whether a machine holds the mapping whose every tile is one word, whatever the layer.
        hardware = draw_machines(
            self._ranges, self.machines, random, lambda drawn: first.fits({}, drawn)
        )
        count = len(next(iter(hardware.values()))) if hardware else 1
        return Catalogue(
            self.accelerator,
            self.workload.bounds,
            self.workload.strides,
            hardware,
            torch.zeros(len(self.workload), dtype=torch.int64),
            tuple(layer.name for layer in self.workload),
            machine_names(self.accelerator, hardware, count),
            (self.workload.name,),
        )

    @cached_property
    def _ranges(self) -> dict[str, Range]:
        return hardware_ranges(self.accelerator, self.hardware)

    @cached_property
    def _digest(self) -> str:
        """A digest of all that the rows depend on."""
        config = {
            "format": FORMAT,
            "version": __version__,
            "accelerator": accelerator_digest(self.accelerator),
            "layers": [(layer.bounds, layer.strides) for layer in self.workload],
            "hardware": {name: repr(span) for name, span in self._ranges.items()},
            "machines": self.machines,
            "each": self.each,
            "seed": self.seed,
        }
        return digest(config)

    @cached_property
    def _widest(self) -> dict[str, float]:
        return {name: float(span.values.max()) for name, span in self._ranges.items()}

    @cached_property
    def _layers(self) -> list[LayerChoices]:
        return [LayerChoices(layer, self.accelerator, self._widest) for layer in self.workload]

    @cached_property
    def _blocks(self) -> tuple[Tensor, ...]:
        """Ids of the machines of each block; a shard is one layer on one block."""
        machines = torch.arange(len(self.catalogue.machine_names))
        return machines.split(max(SHARD_ROWS // self.each, 1))

    @cached_property
    def _shards(self) -> Shards:
        rows = [len(block) * self.each for block in self._blocks for _ in self.workload]
        return Shards(self.directory, self.catalogue, rows, self.workers or os.cpu_count() or 1)

    @property
    def shards(self) -> int:
        """How many shards there are: layers x blocks of machines."""
        return len(self._shards.rows)

    def make(self, number: int) -> pa.Table:
        """Return a shard, new; what it holds depends on the config and its number alone."""
        block, layer = divmod(number, len(self.workload))
        machine = self._blocks[block]
        hardware = {name: values[machine] for name, values in self.catalogue.hardware.items()}
        machines = Machines(hardware, len(machine), self.each)
        nests = draw_mappings(self._layers[layer], machines, generator(self.seed, number))
        rows = {name: v.repeat_interleave(self.each) for name, v in hardware.items()}
        nest = analyse(nests, self.workload.strides[layer], self.accelerator)
        cost = layer_cost(nest, self.accelerator, rows)
        ids = torch.full((len(machine) * self.each,), layer), machine.repeat_interleave(self.each)
        latency, energy = (v.expand(len(ids[0])) for v in (cost.cycles, cost.energy_pj * 1e-6))
        targets = {"latency": latency, "energy": energy, "edp": latency * energy}
        return encode(ScheduleRows(nests, *ids, targets), self.accelerator)

    def _findings(self) -> list[Finding]:
        machines = len(self.catalogue.machine_names)
        if machines == self.machines:
            return []
        return [Finding(f"machine (of {self.machines:,} asked for) is distinct", machines, "0")]


def generator(seed: int, stream: int | str) -> torch.Generator:
    """Return a random generator of its own for each seed and stream."""
    digest = hashlib.sha256(f"{seed}/{stream}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)

"""The published tables of measurements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tilegrad.accelerator import Accelerator
from tilegrad.errors import DataError, unknown
from tilegrad.schedules.as_run import gemmini_as_run
from tilegrad.schedules.download import PublishedFile, locate
from tilegrad.schedules.identity import Networks
from tilegrad.schedules.parsed import load_parsed
from tilegrad.schedules.reading import Progress, Reading
from tilegrad.schedules.schedules import Schedules
from tilegrad.tables.table_layout import Quantity

_SOURCE = (
    "https://raw.githubusercontent.com/ucb-bar/dosa/a7a3239382e14e825f6fe3bc5523c6070abf426c/data"
)


@dataclass(frozen=True)
class _Table:
    """A published table: its file, the columns of its targets, hardware that no column gives.

    ``as_run`` turns its rows into those that were measured, where the table differs.
    """

    file: PublishedFile
    quantities: tuple[Quantity, ...]
    hardware: dict[str, float] = field(default_factory=dict)
    as_run: Callable[[Schedules], Schedules] | None = None


TABLES = {
    # 95 accelerators x 71 layers x 10 mappings, less failures, evaluated by Timeloop's fork of
    # July 2022. target.edp is latency * energy / 1e6. Energies are printed to 6 or 7 digits:
    # 4,926 rows repeat others exactly, 596 more in all but the last digits of the energy.
    "timeloop_dosa": _Table(
        PublishedFile(
            "dosa/timeloop_dataset.csv.tar.gz",
            f"{_SOURCE}/timeloop_dataset/dataset.csv.tar.gz",
            "5fc6f038bf49af1404362c45f84fb5827c931da9129b8613610f808aab60c4cb",
        ),
        (
            Quantity("latency", "latency", "target.cycle"),
            Quantity("energy", "energy", "target.energy"),
            Quantity("edp", "edp", "target.edp", scale=1e6),
        ),
    ),
    # Mappings run on Gemmini's RTL by FireSim. target.cycle repeats the RTL's cycles; arch.* are
    # the sizes that mappings were sampled for and not the machine's; energy and EDP are
    # Timeloop's for those sizes. So the latency alone was measured, on Gemmini's default memories
    # and the array that gemmini_as_run tells.
    "gemmini_rtl": _Table(
        PublishedFile(
            "dosa/firesim_training.csv",
            f"{_SOURCE}/firesim_training_data/firesim_results.csv",
            "190addc022cd5922af7b50761095298b83871f3fd5b080200221434a69dc8a5e",
        ),
        (Quantity("latency", "latency", "target.gemmini_cycle"),),
        {"pe_dim": 16, "scratchpad_kb": 128, "accumulator_kb": 32},
        gemmini_as_run,
    ),
}


@dataclass(frozen=True)
class PublishedTable:
    """A published table by name.

    ``networks`` names the networks that layers are looked for in, the first that has one wins.
    Rows that repeat others are left out and counted, unless ``duplicates``. ``path`` is a file of
    one's own instead of the published one: of the same columns, measured in the same way.
    """

    name: str
    accelerator: Accelerator
    networks: Sequence[str] = ()
    duplicates: bool = False
    path: str | None = None

    def __post_init__(self) -> None:
        if self.name not in TABLES:
            raise DataError(unknown("published table", self.name, TABLES, "source.name"))
        known = Networks(self.networks)
        missing = set(TABLES[self.name].hardware) - set(self.accelerator.parameters)
        if missing:
            raise DataError(
                f"source.name: table {self.name} is of an accelerator with hardware parameter "
                f"{min(missing)!r}, which accelerator {self.accelerator.name} lacks "
                "(legal: accelerator=gemmini)"
            )
        object.__setattr__(self, "networks", known.names)

    def load(self, progress: Progress | None = None) -> Schedules:
        """Return the table's schedules; raise ``DataError`` where it cannot be had or read."""
        table = TABLES[self.name]
        reading = Reading(
            self.accelerator,
            table.quantities,
            table.hardware,
            tuple(self.networks),
            self.duplicates,
        )
        file = locate(table.file) if self.path is None else Path(self.path)
        found = load_parsed(file, reading, progress)
        return table.as_run(found) if table.as_run else found

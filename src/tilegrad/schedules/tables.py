"""Tables of measurements as schedules: any user's file, parsed once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tilegrad.accelerator import Accelerator
from tilegrad.errors import ConfigError, DataError, unknown
from tilegrad.schedules.identity import Networks
from tilegrad.schedules.parsed import load_parsed
from tilegrad.schedules.reading import Progress, Reading
from tilegrad.schedules.schedules import TARGETS, Schedules
from tilegrad.tables.table_layout import Quantity

_MEASURED = Path(__file__).parent / "measured"

COLUMNS = {"latency": "target.cycle", "energy": "target.energy", "edp": "target.edp"}

PER_UNIT = {"latency": 1.0, "energy": 1.0, "edp": 1e6}
"""Columns are in cycles, uJ and, as in the public dataset, uJ * cycles / 1e6."""


@dataclass(frozen=True)
class TableFile:
    """A user's table (.csv, .csv.gz, .csv.tar.gz, .parquet), columns as ``tilegrad evaluate`` has.

    ``columns`` names the columns of latency [cycles], energy [uJ] and EDP [uJ * cycles / 1e6];
    those that the table lacks are no targets. ``hardware`` gives parameters that no column does.
    ``networks`` names the networks that layers are looked for in, the first that has one wins.
    Rows that repeat others are left out and reported unless ``duplicates``; illegal rows are
    refused, or left out and reported if ``skip_invalid``.
    """

    path: str
    accelerator: Accelerator
    columns: Mapping[str, str] = field(default_factory=lambda: dict(COLUMNS))
    hardware: Mapping[str, float] | None = None
    networks: Sequence[str] = ()
    duplicates: bool = False
    skip_invalid: bool = False

    @classmethod
    def packaged(cls, name: str, accelerator: Accelerator, **settings: Any) -> TableFile:
        """Return a table that comes with the package; ``DataError`` lists the legal names."""
        names = sorted(file.stem for file in _MEASURED.glob("*.csv"))
        if name not in names:
            raise DataError(unknown("packaged table", name, names, "source.name"))
        return cls(str(_MEASURED / f"{name}.csv"), accelerator, **settings)

    def __post_init__(self) -> None:
        for name in self.columns:
            if name not in TARGETS:
                raise ConfigError(unknown("target", name, TARGETS, "source.columns"))
        for name, value in (self.hardware or {}).items():
            if name not in self.accelerator.parameters:
                legal = list(self.accelerator.parameters) or ["none"]
                raise ConfigError(unknown("hardware parameter", name, legal, "source.hardware"))
            if not isinstance(value, (int, float)) or not 0 < value < math.inf:
                raise ConfigError(f"source.hardware.{name} is {value!r}; legal: a number > 0")
        Networks(self.networks)

    def load(self, progress: Progress | None = None) -> Schedules:
        """Return the table's schedules; raise ``DataError`` where it cannot be read or is bad."""
        quantities = [
            Quantity(name, name, self.columns[name], PER_UNIT[name])
            for name in TARGETS
            if self.columns.get(name)
        ]
        reading = Reading(
            self.accelerator,
            quantities,
            dict(self.hardware or {}),
            tuple(self.networks),
            self.duplicates,
            self.skip_invalid,
        )
        return load_parsed(Path(self.path), reading, progress)

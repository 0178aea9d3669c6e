"""The accelerator: levels numbered from the arithmetic outwards, and its hardware parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from tilegrad.accelerator.energy import EnergyTable
from tilegrad.accelerator.expression import Expression, Value
from tilegrad.accelerator.level import Level

COUNTINGS = ("timeloop-2022", "timeloop")
KINDS = ("regfile", "sram", "dram")
AXES = ("X", "Y")


@dataclass(frozen=True)
class Parameter:
    """A hardware parameter: inferred from the mappings unless the user fixes it."""

    name: str
    minimum: float
    unit: str
    about: str


@dataclass(frozen=True)
class Arithmetic:
    """The MAC unit: pJ per operation and mm² per unit."""

    energy_pj: float
    area_mm2: float


@dataclass(frozen=True)
class TableColumns:
    """How the columns of a table of measurements give the hardware parameters.

    ``columns`` gives columns short names; ``parameters`` are expressions over those names.
    """

    columns: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Expression] = field(default_factory=dict)


@dataclass(frozen=True)
class Accelerator:
    """A spatial accelerator; ``levels[0]`` is next to the arithmetic, ``levels[-1]`` is DRAM."""

    name: str
    counting: str
    levels: tuple[Level, ...]
    parameters: dict[str, Parameter]
    arithmetic: Arithmetic
    energy: EnergyTable
    table: TableColumns = field(default_factory=TableColumns)

    def instance_kb(self, level: Level, hardware: Mapping[str, Value]) -> Value:
        """Return the size of one instance of a level in KB (0 where it is unlimited)."""
        if level.capacity_kb is not None:
            return level.capacity_kb(hardware) / level.instances(hardware)
        return (level.capacity_words or 0) * level.bytes_per_word / 1024

    def access_pj(self, level: Level, hardware: Mapping[str, Value]) -> dict[str, Value]:
        """Return pJ per word for each kind of access at a level."""
        if level.access_pj is not None:
            return {access: pj(hardware) for access, pj in level.access_pj.items()}
        return self.energy.access_pj(level, self.instance_kb(level, hardware))

    def kept_below(self, level: int, tensor: str) -> int:
        """Return the next level inwards of ``level`` that keeps ``tensor``; -1 is the MAC."""
        return next((i for i in range(level - 1, -1, -1) if tensor in self.levels[i].keeps), -1)

    @cached_property
    def fanout_parameters(self) -> frozenset[str]:
        """Parameters that are the width of a mesh axis."""
        widths = (axis.width for level in self.levels for axis in level.fanout.values())
        return frozenset(width.parameter for width in widths if width.parameter)

    @cached_property
    def capacity_parameters(self) -> dict[str, Level]:
        """Parameters that are the capacity of a level, with that level."""
        sized = ((level.capacity_kb, level) for level in self.levels)
        return {size.parameter: level for size, level in sized if size and size.parameter}

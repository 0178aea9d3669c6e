"""The accelerator: levels numbered from the arithmetic outwards, and its hardware parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from tilegrad.accelerator.determined import Plan, determined
from tilegrad.accelerator.energy import EnergyTable
from tilegrad.accelerator.expression import Expression, Value
from tilegrad.accelerator.level import Level
from tilegrad.accelerator.requirement import Column, Requirement, columns_of, requirements_of
from tilegrad.shape import GROUP, Shape
from tilegrad.shape.conv import CONV

COUNTINGS = ("timeloop-2022", "timeloop")
KINDS = ("regfile", "sram", "dram")


@dataclass(frozen=True)
class Parameter:
    """A hardware parameter: inferred from the mappings unless the user fixes it.

    ``default`` is the template's own size, which reports set beside a found one.
    """

    name: str
    minimum: float
    unit: str
    about: str
    default: float | None = None


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
    """A spatial accelerator; ``levels[0]`` is next to the arithmetic, ``levels[-1]`` is DRAM.

    ``clock_mhz`` turns cycles into seconds for people and changes nothing else. ``machine`` are
    facts of the system around it, by name, that no nest but a predictor's features reads. Levels'
    dims are those of ``shape``; a description gives a convolution's, ``running`` those of other
    problems.
    """

    name: str
    counting: str
    levels: tuple[Level, ...]
    parameters: dict[str, Parameter]
    arithmetic: Arithmetic
    energy: EnergyTable
    table: TableColumns = field(default_factory=TableColumns)
    clock_mhz: float | None = None
    shape: Shape = CONV
    machine: Mapping[str, float] = field(default_factory=dict)

    def running(self, shape: Shape) -> Accelerator:
        """Return the accelerator with its levels' dims in those of another shape.

        A dim may lie where a convolution's of its letter may (``Shape.letters``).
        """
        if shape == self.shape:
            return self
        if shape not in self._running:
            levels = tuple(_running(level, shape) for level in self.levels)
            self._running[shape] = replace(self, levels=levels, shape=shape)
        return self._running[shape]

    @cached_property
    def _running(self) -> dict[Shape, Accelerator]:
        assert self.shape == CONV, "an accelerator's description is of a convolution"
        return {}

    @cached_property
    def defaults(self) -> dict[str, float]:
        """The template's own sizes, of the parameters that have one."""
        sizes = {name: parameter.default for name, parameter in self.parameters.items()}
        return {name: float(size) for name, size in sizes.items() if size is not None}

    def instance_kb(self, level: Level, hardware: Mapping[str, Value]) -> Value:
        """Return the size of one instance of a level in KB (0 where it is unlimited)."""
        if level.capacity_kb is not None:
            return level.capacity_kb(hardware) / level.instances(hardware)
        return (level.capacity_words or 0) * level.buffers * level.bytes_per_word / 1024

    def access_pj(self, level: Level, hardware: Mapping[str, Value]) -> dict[str, Value]:
        """Return pJ per word for each kind of access at a level."""
        if level.access_pj is not None:
            return {access: pj(hardware) for access, pj in level.access_pj.items()}
        size, block = self.instance_kb(level, hardware) * level.cluster, level.block(hardware)
        return self.energy.access_pj(level, size, block)

    def area_mm2(self, level: Level, hardware: Mapping[str, Value]) -> Value | None:
        """Return mm2 of one instance of a level; None where neither it nor the table says."""
        if level.area_mm2 is not None:
            return level.area_mm2(hardware)
        size, block = self.instance_kb(level, hardware) * level.cluster, level.block(hardware)
        area = self.energy.area_mm2(level, size, block)
        return None if area is None else area / level.cluster

    def beyond_tables(self, hardware: Mapping[str, float]) -> list[str]:
        """Return a sentence for each level whose figures lie beyond what its table was made for."""
        found = []
        for level in self.levels:
            size, block = self.instance_kb(level, hardware) * level.cluster, level.block(hardware)
            made = None if level.access_pj else self.energy.beyond(level, float(size), float(block))
            if made is not None:
                found.append(
                    f"{level.name} ({float(size):g} KB) lies beyond what table {self.energy.name} "
                    f"was made for ({made}); its energy follows the table's last two sizes"
                )
        return found

    def kept_below(self, level: int, tensor: str) -> int:
        """Return the next level inwards of ``level`` that keeps ``tensor``; -1 is the MAC."""
        return next((i for i in range(level - 1, -1, -1) if tensor in self.levels[i].keeps), -1)

    @cached_property
    def requirements(self) -> tuple[Requirement, ...]:
        """What must hold of every mapping."""
        return requirements_of(self.levels)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The requirements that parameters decide."""
        least = {name: parameter.minimum for name, parameter in self.parameters.items()}
        return columns_of(self.requirements, least)

    @cached_property
    def constant(self) -> tuple[Requirement, ...]:
        """The requirements that no parameter changes and that a mapping could fail.

        From the innermost level outwards, the capacity before the meshes.
        """
        failing = (each for each in self.requirements if not each.have.names)
        found = [each for each in failing if each.is_mesh or self._could_overflow(each)]
        return tuple(sorted(found, key=lambda each: (each.level, each.is_mesh)))

    def plan(self, fixed: Collection[str] = ()) -> Plan:
        """Return how mappings tell the parameters but those ``fixed``.

        Raises ``ConfigError`` naming one that they do not tell, and why.
        """
        settled = frozenset(fixed)
        if settled not in self._plans:
            names = tuple(self.parameters)
            self._plans[settled] = determined(self.name, self.columns, names, settled)
        return self._plans[settled]

    @cached_property
    def _plans(self) -> dict[frozenset[str], Plan]:
        return {}

    def _could_overflow(self, capacity: Requirement) -> bool:
        words = float(capacity.have({}))
        return self._filled_by(capacity.level) or words < len(self.levels[capacity.level].keeps)

    def _filled_by(self, index: int) -> bool:
        """Return whether some loop at or inside a level enlarges what the level keeps."""
        inside = {dim for level in self.levels[: index + 1] for dim in level.loops}
        for level in self.levels[: index + 1]:
            inside |= {dim for fanout in level.fanout.values() for dim in fanout.dims}
        return any(inside & self.shape.relevant[tensor] for tensor in self.levels[index].keeps)


def _running(level: Level, shape: Shape) -> Level:
    fanout = {
        axis: replace(each, dims=_dims(each.dims, each.groups, shape))
        for axis, each in level.fanout.items()
    }
    return replace(level, loops=_dims(level.loops, level.groups, shape), fanout=fanout)


def _dims(dims: Sequence[int], groups: bool | None, shape: Shape) -> tuple[int, ...]:
    """Return the dims of ``shape`` whose letters are those of a convolution's ``dims``."""
    letters = [CONV.dims[dim] for dim in dims]
    if groups or (groups is None and len(dims) == len(CONV.dims)):
        letters.append(GROUP)
    return tuple(
        place for letter in letters for place, own in enumerate(shape.letters) if own == letter
    )

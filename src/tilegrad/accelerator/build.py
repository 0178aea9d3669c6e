"""Build an accelerator from its YAML description; every malformed field is refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tilegrad.accelerator.accelerator import (
    COUNTINGS,
    KINDS,
    Accelerator,
    Arithmetic,
    Parameter,
    TableColumns,
)
from tilegrad.accelerator.accelergy import read_tables
from tilegrad.accelerator.energy import EnergyTable
from tilegrad.accelerator.expression import Expression, parse_expression
from tilegrad.accelerator.fields import Fields
from tilegrad.accelerator.instances import check_cluster, instances_of, widths_outside
from tilegrad.accelerator.level import ACCESSES, AXES, PORTS, Fanout, Level
from tilegrad.accelerator.requirement import check_monotone
from tilegrad.errors import AcceleratorError
from tilegrad.shape import GROUP, LETTERS, ROLES
from tilegrad.shape.conv import DIMS

AREA = "area_mm2"
"""What searches limit beside the parameters."""


def build_accelerator(**description: Any) -> Accelerator:
    """Return the accelerator that a description (``conf/accelerator/*.yaml``) stands for.

    Raises ``AcceleratorError`` naming the field, its value and what is legal.
    """
    fields = Fields(description, "accelerator")
    name = fields.text("name")
    fields = Fields(description, f"accelerator {name}")
    fields.text("name")
    counting = fields.choice("counting", COUNTINGS)
    tables = read_tables(fields.required("energy"), f"accelerator {name}.energy")
    unit = fields.section("arithmetic")
    arithmetic = tables.arithmetic(_arithmetic(unit, tables.energy, f"accelerator {name}"))
    parameters = _parameters(fields.mapping("parameters"), f"accelerator {name}.parameters")
    table = _table(fields.mapping("table"), parameters, f"accelerator {name}.table")
    described = fields.sequence("levels")
    clock = fields.clock("clock_mhz")
    machine = _machine(fields.mapping("machine"), f"accelerator {name}.machine")
    fields.finish()
    levels = tuple(map(tables.level, _levels(described, parameters, f"accelerator {name}.levels")))
    _check_energies(levels, tables.energy, f"accelerator {name}")
    _check_levels(levels, f"accelerator {name}.levels")
    least = {name: parameter.minimum for name, parameter in parameters.items()}
    check_monotone(levels, least, f"accelerator {name}")
    return Accelerator(
        name,
        counting,
        levels,
        parameters,
        arithmetic,
        tables.energy,
        table,
        clock,
        machine=machine,
    )


def _machine(described: Mapping[str, Any], where: str) -> dict[str, float]:
    fields = Fields(described, where)
    return {str(name): fields.number(name) for name in described}


def _arithmetic(fields: Fields, table: EnergyTable, where: str) -> Arithmetic:
    """Return the MAC unit: figures of its own, and the table's of its ``bits`` for the others."""
    bits = fields.positive("bits", default=None)
    try:
        made = (None, 0.0) if bits is None else table.mac(bits)
    except AcceleratorError as error:
        raise AcceleratorError(f"{where}.arithmetic: {error}") from None
    if made is None:
        raise AcceleratorError(
            f"{where}.arithmetic: bits is {bits}, and table {table.name} has no MAC units; "
            "legal: energy_pj and area_mm2"
        )
    energy_pj = fields.number("energy_pj", default=made[0])
    arithmetic = Arithmetic(energy_pj, fields.number("area_mm2", default=made[1]))
    fields.finish()
    return arithmetic


def _parameters(described: Mapping[str, Any], where: str) -> dict[str, Parameter]:
    parameters = {}
    for name, item in described.items():
        if not isinstance(name, str) or not name.isidentifier() or name == AREA:
            raise AcceleratorError(
                f"{where}: {name!r} is no name of a parameter; legal: letters, digits and _, no "
                f"digit first, and not {AREA}, which caps.{AREA} limits"
            )
        fields = Fields(item, f"{where}.{name}")
        minimum = fields.number("min", default=1.0)
        parameters[name] = Parameter(
            name,
            minimum,
            fields.text("unit", default=""),
            fields.text("about", default=""),
            fields.positive("default", default=None),
        )
        fields.finish()
    return parameters


def _table(
    section: Mapping[str, Any], parameters: Mapping[str, Parameter], where: str
) -> TableColumns:
    fields = Fields(section, where)
    columns = fields.mapping("columns")
    names = {name: Fields(columns, f"{where}.columns").text(name) for name in columns}
    described = fields.mapping("parameters", legal=tuple(parameters))
    fields.finish()
    return TableColumns(
        names,
        {
            name: parse_expression(value, names, f"{where}.parameters.{name}")
            for name, value in described.items()
        },
    )


def _levels(
    described: Sequence[Any], parameters: Mapping[str, Parameter], where: str
) -> list[Level]:
    """Return the levels in their order; the outer ones say how many there are of the inner ones."""
    outside: list[Level] = []
    for index in reversed(range(len(described))):
        place = f"{where}[{index}]"
        level = _level(described[index], parameters, widths_outside(outside), place)
        _check_sizes(level, place)
        outside.insert(0, level)
    return outside


def _level(
    item: object, parameters: Mapping[str, Parameter], outside: Sequence[Expression], where: str
) -> Level:
    fields = Fields(item, where)

    def expression(key: str, value: object) -> Expression:
        return parse_expression(value, parameters, f"{where}.{key}")

    def positive(key: str, value: object) -> Expression:
        return _positive(value, parameters, f"{where}.{key}")

    def expressions(key: str, legal: Sequence[str]) -> dict[str, Expression]:
        section = fields.mapping(key, legal=legal)
        return {name: expression(f"{key}.{name}", value) for name, value in section.items()}

    capacity = fields.optional("capacity_kb")
    loops, groups = _dims(fields.subset("loops", LETTERS))
    area = fields.optional("area_mm2")
    access = expressions("access_pj", ACCESSES)
    bandwidth = fields.mapping("bandwidth", legal=tuple(PORTS))
    level = Level(
        name=fields.text("name"),
        keeps=fields.subset("keeps", ROLES),
        loops=loops,
        kind=fields.choice("kind", KINDS),
        word_bits=fields.positive("word_bits"),
        instances=instances_of(
            fields.optional("instances"), outside, parameters, f"{where}.instances"
        ),
        block=positive("block", fields.optional("block", 1)),
        fanout=_fanout(fields.mapping("fanout", legal=AXES), parameters, f"{where}.fanout"),
        capacity_kb=None if capacity is None else positive("capacity_kb", capacity),
        capacity_words=fields.positive("capacity_words", default=None),
        bandwidth={port: positive(f"bandwidth.{port}", bandwidth[port]) for port in bandwidth},
        cluster=fields.positive("cluster", default=1),
        buffers=fields.positive("buffers", default=1),
        access_pj=access or None,
        block_pj=_block_pj(fields),
        area_mm2=None if area is None else expression("area_mm2", area),
        ports=fields.positive("ports", default=1),
        groups=groups,
    )
    fields.finish()
    if access and set(access) != set(ACCESSES):
        raise AcceleratorError(f"{where}.access_pj: give all of {', '.join(ACCESSES)}")
    return level


def _check_sizes(level: Level, where: str) -> None:
    check_cluster(level, where)
    if level.ports > 2:
        raise AcceleratorError(f"{where}: ports is {level.ports}; legal: 1 or 2; nearest: 2")
    if level.capacity_kb is None:
        return
    if level.capacity_words is not None:
        raise AcceleratorError(f"{where}: give capacity_kb or capacity_words, not both")
    if level.buffers > 1:
        raise AcceleratorError(
            f"{where}: buffers is {level.buffers} beside capacity_kb, the size of all of them; "
            "legal: capacity_words (of one), or no buffers"
        )


def _block_pj(fields: Fields) -> dict[str, float] | None:
    if fields.optional("block_pj") is None:
        return None
    section = fields.section("block_pj")
    energies = {action: section.number(action) for action in ("read", "write")}
    section.finish()
    return energies


def _check_energies(levels: Sequence[Level], table: EnergyTable, where: str) -> None:
    for level in levels:
        if level.keeps and level.access_pj is None and (lack := table.lacks(level)) is not None:
            raise AcceleratorError(f"{where}: level {level.name!r} {lack}")


def _fanout(
    section: Mapping[str, Any], parameters: Mapping[str, Parameter], where: str
) -> dict[str, Fanout]:
    fanout = {}
    for axis, item in section.items():
        fields = Fields(item, f"{where}.{axis}")
        dims, groups = _dims(fields.subset("dims", LETTERS))
        width = _positive(fields.required("width"), parameters, f"{where}.{axis}.width")
        if not width.names and float(width({})) % 1:
            raise AcceleratorError(
                f"{where}.{axis}.width: {width.text!r} is {width({}):g}; legal: a whole number"
            )
        fields.finish()
        fanout[axis] = Fanout(dims, width, groups)
    return fanout


def _positive(value: object, parameters: Mapping[str, Parameter], where: str) -> Expression:
    expression = parse_expression(value, parameters, where)
    if not expression.names and expression({}) == 0:
        raise AcceleratorError(f"{where}: {expression.text!r} is 0; legal: a number > 0")
    return expression


def _dims(names: Sequence[str]) -> tuple[tuple[int, ...], bool | None]:
    """Return the dims but the groups, and whether those are among them (None: as all others)."""
    dims = tuple(DIMS.index(name) for name in names if name != GROUP)
    return dims, True if GROUP in names and len(dims) < len(DIMS) else None


def _check_levels(levels: tuple[Level, ...], where: str) -> None:
    if len(levels) < 2:
        raise AcceleratorError(f"{where}: at least two levels are needed, got {len(levels)}")
    names = [level.name for level in levels]
    for name in names:
        if names.count(name) > 1:
            raise AcceleratorError(f"{where}: level name {name!r} is given twice")
    missing = set(ROLES) - set(levels[-1].keeps)
    if missing:
        raise AcceleratorError(
            f"{where}: the outermost level {names[-1]!r} must keep every tensor; "
            f"missing: {', '.join(sorted(missing))}"
        )
    if set(levels[-1].loops) != set(range(len(DIMS))):
        raise AcceleratorError(
            f"{where}: the outermost level {names[-1]!r} takes what the inner ones leave, so it "
            f"must allow loops over every dim: {', '.join(DIMS)}"
        )

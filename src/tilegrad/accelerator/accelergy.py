"""Accelergy's tables: energies per action (ERT) and areas (ART) of named components, from YAML."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any, TypeVar

import yaml

from tilegrad.accelerator.accelerator import Arithmetic
from tilegrad.accelerator.energy import ENERGY_TABLES, AccelergyTable, EnergyTable
from tilegrad.accelerator.expression import parse_expression
from tilegrad.accelerator.fields import Fields
from tilegrad.accelerator.level import Level
from tilegrad.errors import AcceleratorError
from tilegrad.yaml_files import UniqueKeysLoader

MAC_ACTIONS = ("mac_random", "compute", "mac")
"""Names of the MAC unit's action, in order of preference."""

MM2_PER_UM2 = 1e-6

_Entry = TypeVar("_Entry")


@dataclass(frozen=True)
class Tables:
    """The energy table, and what files say: pJ by component and action, mm2 by component."""

    energy: EnergyTable
    energies: Mapping[str, Mapping[str, float]] | None = None
    areas: Mapping[str, float] = field(default_factory=dict)

    def level(self, level: Level) -> Level:
        """Return the level with the files' energies and area."""
        if self.energies is not None and level.keeps:
            level = replace(level, block_pj=self._block_pj(level.name))
        if level.name in self.areas:
            area = parse_expression(self.areas[level.name], (), level.name)
            level = replace(level, area_mm2=area)
        return level

    def _block_pj(self, name: str) -> dict[str, float]:
        assert self.energies is not None
        actions = self.energies.get(name, {})
        if not {"read", "write"} <= actions.keys():
            listed = ", ".join(self.energies)
            raise AcceleratorError(
                f"the ERT gives no read and write energy of level {name!r} (it names: {listed})"
            )
        return {action: actions[action] for action in ("read", "write")}

    def arithmetic(self, arithmetic: Arithmetic) -> Arithmetic:
        """Return the MAC unit with the files' energy and area: the component that computes."""
        for name, actions in (self.energies or {}).items():
            for action in MAC_ACTIONS:
                if action in actions:
                    area = self.areas.get(name, arithmetic.area_mm2)
                    return Arithmetic(actions[action], area)
        return arithmetic


def read_tables(described: object, where: str) -> Tables:
    """Read ``pat``, say, ``{table: accelergy, ert: FILE, art: FILE}`` or another table's options.

    Raises ``AcceleratorError`` naming the field or the file.
    """
    if not isinstance(described, Mapping):
        named = Fields({"energy": described}, where.removesuffix(".energy"))
        return Tables(ENERGY_TABLES[named.choice("energy", tuple(ENERGY_TABLES))]())
    fields = Fields(described, where)
    name = fields.choice("table", tuple(ENERGY_TABLES))
    energy = _with_options(ENERGY_TABLES[name], fields, where)
    ert, art = fields.optional("ert"), fields.optional("art")
    fields.finish()
    if ert is not None and name != AccelergyTable.name:
        raise AcceleratorError(f"{where}: an ert goes with table accelergy, not {name}")
    energies = None if ert is None else read_ert(Path(str(ert)))
    return Tables(energy, energies, {} if art is None else read_art(Path(str(art))))


def _with_options(table: type[EnergyTable], described: Fields, where: str) -> EnergyTable:
    """Return the table with the options that are given; they are its dataclass's fields."""
    names = [option.name for option in dataclass_fields(table)]  # type: ignore[arg-type]
    given = {name: described.text(name) for name in names if described.optional(name) is not None}
    try:
        return table(**given)
    except AcceleratorError as error:
        raise AcceleratorError(f"{where}: {error}") from None


def read_ert(path: Path) -> dict[str, dict[str, float]]:
    """Return pJ by component (its last name) and action.

    An action given for several arguments counts at its dearest: changed data and address.
    """
    return _by_component(path, "ERT", lambda entry: _energies(path, entry))


def read_art(path: Path) -> dict[str, float]:
    """Return mm2 by component (its last name)."""
    return _by_component(path, "ART", lambda entry: entry.number("area") * MM2_PER_UM2)


def _energies(path: Path, entry: Fields) -> dict[str, float]:
    actions: dict[str, float] = {}
    for item in entry.sequence("actions"):
        action = Fields(item, f"{path}, {entry.text('name')}")
        name, energy = action.text("name"), action.number("energy")
        actions[name] = max(energy, actions.get(name, 0.0))
    return actions


def _by_component(path: Path, key: str, read: Callable[[Fields], _Entry]) -> dict[str, _Entry]:
    """Return what is read of every entry; two that say otherwise of one component are refused."""
    table: dict[str, _Entry] = {}
    for entry in _tables(path, key):
        name, value = entry.text("name"), read(entry)
        if table.setdefault(component(name), value) != value:
            raise AcceleratorError(
                f"{path}, {key}: {name} differs from an earlier entry of {component(name)!r}; "
                "legal: one entry for each component, whose last name is that of its level"
            )
    return table


def component(name: str) -> str:
    """Return the last part of ``System.Chip.PE[0..15].Registers[1..4]``: ``Registers``."""
    return re.sub(r"\[[^\]]*\]", "", name).split(".")[-1].strip()


def _tables(path: Path, key: str) -> Sequence[Fields]:
    try:
        document: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=UniqueKeysLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise AcceleratorError(f"{path}: cannot be read as YAML: {reason}") from None
    if not isinstance(document, Mapping) or not isinstance(document.get(key), Mapping):
        raise AcceleratorError(f"{path}: is not an Accelergy {key} (legal: tables under {key})")
    entries = Fields(document[key], f"{path}, {key}").sequence("tables")
    return [Fields(item, f"{path}, {key}") for item in entries]

"""Energy per access and area as functions of size: pluggable tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tilegrad.accelerator.expression import Value
from tilegrad.accelerator.level import ACCESSES, Level
from tilegrad.accelerator.sized import SizedTable


class EnergyTable(Protocol):
    """Gives the energy of one word's access at a level, and where it knows them, areas and MACs.

    A table is a dataclass; its fields are options of the description (``energy: {table: NAME,
    FIELD: value}``), and wrong ones raise ``AcceleratorError``.
    """

    name: str

    def access_pj(self, level: Level, instance_kb: Value, block: Value) -> dict[str, Value]:
        """Return pJ per word for each of ``reads``, ``fills`` and ``updates``.

        ``instance_kb`` is the size of what one access reads (an instance, or the cluster that
        shares its accesses), ``block`` the words of one access.
        """
        ...

    def area_mm2(self, level: Level, instance_kb: Value, block: Value) -> Value | None:
        """Return mm2 of what one access reads (as above); None where the table has no areas."""
        ...

    def mac(self, bits: int) -> tuple[float, float] | None:
        """Return pJ and mm2 of a multiply-accumulate of ``bits``; None where it has none."""
        ...

    def lacks(self, level: Level) -> str | None:
        """Return what a level without ``access_pj`` needs for its energies, and what is legal."""
        ...

    def beyond(self, level: Level, instance_kb: float, block: float) -> str | None:
        """Return which sizes the table was made for where a level's lie beyond them."""
        ...


class _EnergiesAlone:
    """A table of accesses' energies that every level has all fields for."""

    def area_mm2(self, level: Level, instance_kb: Value, block: Value) -> Value | None:  # noqa: ARG002
        """Return None; see ``EnergyTable.area_mm2``."""
        return None

    def mac(self, bits: int) -> tuple[float, float] | None:  # noqa: ARG002
        """Return None; see ``EnergyTable.mac``."""
        return None

    def lacks(self, level: Level) -> str | None:  # noqa: ARG002
        """Return None; see ``EnergyTable.lacks``."""
        return None

    def beyond(self, level: Level, instance_kb: float, block: float) -> str | None:  # noqa: ARG002
        """Return None; see ``EnergyTable.beyond``."""
        return None


@dataclass(frozen=True)
class PatTable(_EnergiesAlone):
    """Timeloop's built-in PAT energies, linear in the size of one instance.

    ``(1 + (5/99.5)(KB - 0.5))*bits/16`` pJ per SRAM or register access and ``200*bits/16`` pJ per
    DRAM access: the numbers that DOSA's public dataset was made with. Reads and writes cost alike.
    """

    name = "pat"

    def access_pj(self, level: Level, instance_kb: Value, block: Value) -> dict[str, Value]:  # noqa: ARG002
        """Return pJ per word; see ``EnergyTable.access_pj``."""
        if level.kind == "dram":
            per_word: Value = 200.0 * level.word_bits / 16
        else:
            per_word = (1 + (5 / 99.5) * (instance_kb - 0.5)) * (level.word_bits / 16)
        return dict.fromkeys(ACCESSES, per_word)


@dataclass(frozen=True)
class AccelergyTable(_EnergiesAlone):
    """Energies of Accelergy's table (ERT): constants per access of a block, fills are writes.

    They hold for the sizes that Accelergy was run with, whatever the hardware.
    """

    name = "accelergy"

    def access_pj(self, level: Level, instance_kb: Value, block: Value) -> dict[str, Value]:  # noqa: ARG002
        """Return pJ per word; see ``EnergyTable.access_pj``."""
        if level.block_pj is None:
            return dict.fromkeys(ACCESSES, 0.0)
        read, write = level.block_pj["read"], level.block_pj["write"]
        return {"reads": read / block, "fills": write / block, "updates": write / block}

    def lacks(self, level: Level) -> str | None:
        """Return what a level lacks; see ``EnergyTable.lacks``."""
        if level.block_pj is not None:
            return None
        return (
            f"has no energies for the {self.name} table; legal: "
            "block_pj: {read: PJ, write: PJ} there, or energy: {table: accelergy, ert: FILE}"
        )


ENERGY_TABLES: dict[str, type[EnergyTable]] = {
    table.name: table for table in (PatTable, AccelergyTable, SizedTable)
}

"""Energy and area as functions of size: SRAMs, register files, DRAM and MAC units at 40 nm.

The figures are those of public tools, run over sizes and word widths and kept as numbers in
``figures/``, whose files say how each was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tilegrad.accelerator.expression import Value
from tilegrad.accelerator.figures import read_figures
from tilegrad.accelerator.grid import Grid
from tilegrad.accelerator.level import ACCESSES, Level
from tilegrad.accelerator.nodes import Node, read_node
from tilegrad.errors import AcceleratorError, unknown

MADE_AT = "40nm"
FIGURES = ("read_pj", "write_pj", "area_mm2")


@dataclass(frozen=True)
class SizedTable:
    """Energies and areas that follow from each level's size, the width of its access and its kind.

    An access is a whole block of the instances that share it, ``block * word_bits * cluster`` bits;
    SRAMs have one or two read-write ports. ``node`` scales all but DRAM, whose kind is ``dram``.
    """

    node: str = MADE_AT
    dram: str = "LPDDR4"

    name = "sram-40nm"

    def __post_init__(self) -> None:
        read_node(self.node)
        if self.dram not in _drams():
            raise AcceleratorError(unknown("dram", self.dram, _drams()))

    def access_pj(self, level: Level, instance_kb: Value, block: Value) -> dict[str, Value]:
        """Return pJ per word; see ``EnergyTable.access_pj``."""
        if level.kind == "dram":
            return dict.fromkeys(ACCESSES, _drams()[self.dram] * level.word_bits)
        if not level.keeps:
            return dict.fromkeys(ACCESSES, 0.0)
        read, write, _ = _figures(level, instance_kb, block)
        scale = self._scale.energy
        read, write = read * scale / block, write * scale / block
        return {"reads": read, "fills": write, "updates": write}

    def area_mm2(self, level: Level, instance_kb: Value, block: Value) -> Value | None:
        """Return mm2; see ``EnergyTable.area_mm2``."""
        if level.kind == "dram" or not level.keeps:
            return None
        return _figures(level, instance_kb, block)[2] * self._scale.area

    def mac(self, bits: int) -> tuple[float, float] | None:
        """Return pJ and mm2; see ``EnergyTable.mac``."""
        if bits not in _macs():
            raise AcceleratorError(f"bits is {bits}; legal: 1 to {max(_macs())}")
        energy_pj, area_mm2 = _macs()[bits]
        return energy_pj * self._scale.energy, area_mm2 * self._scale.area

    def lacks(self, level: Level) -> str | None:
        """Return what a level lacks; see ``EnergyTable.lacks``."""
        sized = level.capacity_kb is not None or level.capacity_words is not None
        if level.kind == "dram" or sized:
            return None
        return (
            f"has no size, from which table {self.name} has its energies; legal: capacity_kb or "
            "capacity_words there, or access_pj"
        )

    def beyond(self, level: Level, instance_kb: float, block: float) -> str | None:
        """Return what was measured where a level lies beyond; see ``EnergyTable.beyond``."""
        if level.kind == "dram" or not level.keeps:
            return None
        grid, row, bits = _place(level, instance_kb, block)
        if grid.holds(float(row), float(bits)):
            return None
        unit = "words" if level.kind == "regfile" else "bytes"
        (least, most), (narrow, wide) = ((each[0], each[-1]) for each in (grid.rows, grid.columns))
        return f"{least:g} to {most:g} {unit}, {narrow:g} to {wide:g} bits an access"

    @property
    def _scale(self) -> Node:
        node, made = read_node(self.node), read_node(MADE_AT)
        return Node(node.energy / made.energy, node.area / made.area)


def _figures(level: Level, kb: Value, block: Value) -> list[Value]:
    """Return pJ of a whole read and write, and mm2, of a memory of ``kb`` at 40 nm."""
    grid, row, bits = _place(level, kb, block)
    return grid.at(row, bits)


def _place(level: Level, kb: Value, block: Value) -> tuple[Grid, Value, Value]:
    """Return the grid of a level's kind, the level's row and column there."""
    bits = block * float(level.word_bits * level.cluster)
    if level.kind == "regfile":
        return _registers(), kb * (1024 * 8) / bits, bits
    return _srams(level.ports), kb * 1024, bits


@cache
def _srams(ports: int) -> Grid:
    table = [row for row in read_figures("srams_40nm") if int(row["ports"]) == ports]
    return Grid.of(table, "bytes", "bits", FIGURES)


@cache
def _registers() -> Grid:
    return Grid.of(read_figures("registers_40nm"), "words", "bits", FIGURES)


@cache
def _drams() -> dict[str, float]:
    return {row["kind"]: float(row["pj_per_bit"]) for row in read_figures("drams")}


@cache
def _macs() -> dict[int, tuple[float, float]]:
    return {
        int(row["bits"]): (float(row["energy_pj"]), float(row["area_mm2"]))
        for row in read_figures("macs_40nm")
    }

"""One memory level of an accelerator."""

from __future__ import annotations

from dataclasses import dataclass, field

from tilegrad.accelerator.expression import Expression

AXES = ("X", "Y")
"""The axes of a mesh."""

ACCESSES = ("reads", "fills", "updates")
"""What a level serves: reads towards the arithmetic, fills from outside, updates from inside."""

PORTS: dict[str, tuple[str, ...]] = {
    "read": ("reads",),
    "write": ("fills", "updates"),
    "shared": ACCESSES,
}
"""Which accesses contend for each bandwidth."""


@dataclass(frozen=True)
class Fanout:
    """Spatial loops below a level: the dims allowed along one mesh axis and its width.

    ``groups``: see ``Level``.
    """

    dims: tuple[int, ...]
    width: Expression
    groups: bool | None = None


@dataclass(frozen=True)
class Level:
    """A level: what it keeps, which loops a search puts there, its size, ports and energy class.

    ``loops`` bind what a search proposes: a mapping from elsewhere may have any loop at any level.
    ``capacity_kb`` is the total over all instances, ``capacity_words`` is per instance and tensor
    set; at most one is given, none means unlimited. A level that is buffered more than once has
    ``buffers`` times ``capacity_words``. ``bandwidth`` is in words per cycle and instance.
    ``groups`` says whether loops over groups may lie there too (None: where all others may).
    ``access_pj`` overrides the energy table (pJ per word, keyed by ``reads``, ``fills``,
    ``updates``); ``block_pj`` are the Accelergy table's entries (pJ per access of a whole block,
    keyed by ``read`` and ``write``); ``area_mm2`` is per instance. ``cluster`` instances share
    each access: one access serves them all. ``ports`` are an SRAM's read-write ports, which cost
    energy and area (table ``sram-40nm``).
    """

    name: str
    keeps: tuple[str, ...]
    loops: tuple[int, ...]
    kind: str
    word_bits: int
    instances: Expression
    block: Expression
    cluster: int = 1
    buffers: int = 1
    fanout: dict[str, Fanout] = field(default_factory=dict)
    capacity_kb: Expression | None = None
    capacity_words: int | None = None
    bandwidth: dict[str, Expression] = field(default_factory=dict)
    access_pj: dict[str, Expression] | None = None
    block_pj: dict[str, float] | None = None
    area_mm2: Expression | None = None
    groups: bool | None = None
    ports: int = 1

    @property
    def bytes_per_word(self) -> float:
        """Bytes of one word."""
        return self.word_bits / 8

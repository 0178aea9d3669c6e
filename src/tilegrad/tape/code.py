"""Figures as instructions on registers, each a row of numbers of ``kernel.WIDTH`` rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tilegrad.tape.errors import NotRecordableError
from tilegrad.tape.graph import AFTER, PER_ORDER, SHARED, Graph
from tilegrad.tape.operations import CONSTANT, KEEP, KEPT, OUTPUT

MOST_REGISTERS = 1 << 16

Root = tuple[int, int, int, int]
"""What to write: ``OUTPUT`` of a figure, to a part and column, or ``GRADIENT``, to a column."""


class Code(NamedTuple):
    """``shared``, ``order`` and ``after [instruction, (kind, to, what it takes)]``: done once, for
    each order, and once more; the first registers hold ``constants``, of ``registers`` in all.
    """

    shared: Any
    order: Any
    after: Any
    constants: Any
    registers: int


def code_of(graph: Graph, roots: Sequence[Root], orders: int) -> Code:
    """Return the instructions that write the roots, for figures of so many orders."""
    return _Assembly(graph, roots, orders).code()


class _Assembly:
    """Gives registers to the figures that are needed, and takes back those no longer so."""

    def __init__(self, graph: Graph, roots: Sequence[Root], orders: int) -> None:
        self.graph, self.roots, nodes = graph, roots, graph.nodes
        needed = _needed(graph, [root[1] for root in roots])
        self.stages = [[f for f in needed if graph.stages[f] == stage] for stage in range(3)]
        self.constants = [f for f in needed if nodes[f].kind == CONSTANT]
        self.at = {figure: place for place, figure in enumerate(self.constants)}
        kept = [figure for figure in needed if nodes[figure].kind == KEPT]
        every = dict.fromkeys(nodes[figure].operands[0] for figure in kept)
        first = len(self.constants)
        self.kept = {figure: first + number * orders for number, figure in enumerate(every)}
        for figure in kept:
            self.at[figure] = self.kept[nodes[figure].operands[0]] + int(nodes[figure].place[0])
        self.used = first + len(every) * orders
        self.free: list[int] = []

    def code(self) -> Code:
        shared = self._instructions(SHARED)
        order = self._instructions(PER_ORDER)
        after = self._instructions(AFTER)
        if self.used > MOST_REGISTERS:
            raise NotRecordableError(f"{self.used} registers")
        values = [self.graph.nodes[figure].place[0] for figure in self.constants]
        return Code(shared, order, after, np.array(values, dtype=np.float64), self.used)

    def _instructions(self, stage: int) -> Any:
        """Return one stage's; what others need after it keeps its registers."""
        nodes = self.graph.nodes
        mine = [f for f in self.stages[stage] if nodes[f].kind not in (CONSTANT, KEPT)]
        ends = [root for root in self.roots if _stage_of(root) == stage]
        dying = self._dying(stage, mine, ends)
        given: list[tuple[int, ...]] = []
        for place, figure in enumerate(mine):
            node = nodes[figure]
            self.at[figure] = to = self._register()
            takes = [self.at[each] for each in node.operands] or [int(each) for each in node.place]
            given.append((node.kind, to, *takes, *[0] * (3 - len(takes))))
            if figure in self.kept:
                given.append((KEEP, self.kept[figure], to, 0, 0))
            self.free += [self.at[each] for each in dying.get(place, ())]
        given += [(kind, 0, self.at[figure], *place) for kind, figure, *place in ends]
        self.free += [self.at[each] for each in dying.get(len(mine), ())]
        return np.array(given, dtype=np.uint16).reshape(-1, 5)

    def _dying(self, stage: int, mine: Sequence[int], ends: Sequence[Root]) -> dict[int, list[int]]:
        """Return whose registers are free again, by place of the instruction that is the last."""
        nodes, held = self.graph.nodes, self._held(stage)
        last = {figure: place for place, figure in enumerate(mine)}
        for place, figure in enumerate(mine):
            last.update(dict.fromkeys(nodes[figure].operands, place))
        last.update({root[1]: len(mine) for root in ends})
        found: dict[int, list[int]] = {}
        for figure, place in last.items():
            if figure not in held and nodes[figure].kind not in (CONSTANT, KEPT):
                # The next order takes again what all share.
                again = stage == PER_ORDER and self.graph.stages[figure] == SHARED
                found.setdefault(len(mine) if again else place, []).append(figure)
        return found

    def _held(self, stage: int) -> set[int]:
        """Return figures that later stages take."""
        nodes = self.graph.nodes
        later = [f for each in range(stage + 1, 3) for f in self.stages[each]]
        held = {each for f in later if nodes[f].kind != KEPT for each in nodes[f].operands}
        return held | {root[1] for root in self.roots if _stage_of(root) > stage}

    def _register(self) -> int:
        if self.free:
            return self.free.pop()
        self.used += 1
        return self.used - 1


def _stage_of(root: Root) -> int:
    return PER_ORDER if root[0] == OUTPUT else AFTER


def _needed(graph: Graph, roots: Sequence[int]) -> list[int]:
    """Return the figures that roots follow from, and these, in the graph's order."""
    found, left = set(roots), list(roots)
    while left:
        for each in graph.nodes[left.pop()].operands:
            if each not in found:
                found.add(each)
                left.append(each)
    return sorted(found)

"""CoSA's mixed-integer program of one layer (Huang et al., ISCA 2021), for any accelerator.

Variables: how many of each dim's prime factors lie at each place, temporal or spatial, and which
tensor stands still under the loops of a level (in place of ranks of a permutation: orders differ
by the tensor whose loops are innermost). Constraints: meshes' widths and buffers' capacities as
sums of logarithms; where tensors share a buffer each has a share of it. Objective: a weighted sum
of logarithms: of the arithmetic's steps, of the words that enter each buffer, less those of tiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import log, prod
from typing import Any

import numpy as np
import torch

from tilegrad.accelerator import AXES
from tilegrad.accelerator.expression import values
from tilegrad.mapping.space import TEMPORAL
from tilegrad.search.cosa.logs import Floats, LayerLogs


@dataclass(frozen=True)
class Weights:
    """What the parts of the objective weigh; the defaults are those of CoSA's own program."""

    utilisation: float = 0.1
    compute: float = 10.0
    traffic: float = 1.0


@dataclass(frozen=True)
class Room:
    """What hardware offers a layer: logarithms of widths and of the words for each tensor.

    ``widths`` by (level, axis); ``words`` by (level, tensor).
    """

    widths: Mapping[tuple[int, int], float]
    words: Mapping[tuple[int, str], float]

    def less(self, level: int, by: float) -> Room:
        """Return it with less room at a level, by a factor's logarithm ``by``."""
        words = {
            (place, role): size - by if place == level else size
            for (place, role), size in self.words.items()
        }
        return Room(self.widths, words)


def room(logs: LayerLogs, sizes: Mapping[str, float], share: float) -> Room:
    """Return the room on hardware of these sizes; ``share`` of a buffer is its first tensor's."""
    widths, words = {}, {}
    for each in logs.space.accelerator.requirements:
        have = float(torch.as_tensor(values(each.have, sizes)))
        if each.is_mesh:
            widths[each.level, AXES.index(each.what)] = log(max(1.0, int(have)))
            continue
        roles = [role for level, role in logs.kept if level == each.level]
        for place, role in enumerate(roles):
            part = share if place == 0 else (1 - share) / (len(roles) - 1)
            words[each.level, role] = log(max(1.0, have * (part if len(roles) > 1 else 1.0)))
    return Room(widths, words)


@dataclass(frozen=True)
class Program:
    """The program of a layer; columns: the counts, then ``still``, then ``saved``, in pairs' order.

    ``pairs``: (level, tensor) where loops may leave a tensor below them still.
    """

    logs: LayerLogs
    weights: Weights

    @cached_property
    def pairs(self) -> tuple[tuple[int, str], ...]:
        """Levels with each tensor whose next loops they may hold."""
        return tuple({(self.logs.next_loops(level), role): 0 for level, role in self.logs.kept})

    @property
    def columns(self) -> int:
        """How many variables there are."""
        return len(self.logs.counts) + 2 * len(self.pairs)

    def _row(self, counts: Floats, **others: Mapping[tuple[int, str], float]) -> Floats:
        """Return a row over all variables."""
        parts = [counts]
        for name in ("still", "saved"):
            given = others.get(name, {})
            parts.append(np.array([given.get(pair, 0.0) for pair in self.pairs]))
        return np.concatenate(parts)

    def traffic(self, level: int, role: str) -> Floats:
        """Return the logarithm of the words of a tensor that enter a level, all instances'."""
        logs = self.logs
        outside = logs.row(lambda slot: slot.level > level and slot.axis == TEMPORAL)
        moved = logs.tile(role, level) + logs.apart(role, level) + outside
        return self._row(moved, saved={(logs.next_loops(level), role): -1.0})

    @cached_property
    def cost(self) -> Floats:
        """What is minimised."""
        total = self.weights.compute * self._row(self.logs.steps)
        for level, role in self.logs.kept:
            total = total + self.weights.traffic * self.traffic(level, role)
            total = total - self.weights.utilisation * self._row(self.logs.tile(role, level))
        return total

    def _placed(self) -> list[tuple[Floats, float, float]]:
        """Return rows that see that all prime factors are somewhere."""
        kinds = {(c.slot.dim, c.prime): c.most for c in self.logs.counts}
        rows = []
        for (dim, prime), most in kinds.items():
            here = [float((c.slot.dim, c.prime) == (dim, prime)) for c in self.logs.counts]
            rows.append((self._row(np.array(here)), float(most), float(most)))
        return rows

    def _standing(self) -> list[tuple[Floats, float, float]]:
        """Return rows that see that one tensor stands still at a level, by loops that are there."""
        rows, none = [], np.zeros(len(self.logs.counts))
        for level in sorted({level for level, _ in self.pairs}):
            here = {pair: 1.0 for pair in self.pairs if pair[0] == level}
            rows.append((self._row(none, still=here), 0.0, 1.0))
        for pair in self.pairs:
            level, role = pair
            shape = self.logs.problem.shape
            loose = frozenset(range(len(shape.dims))) - shape.relevant[role]
            loops = self.logs.temporal(level, loose)
            most = log(prod(self.logs.problem.bounds[dim] for dim in loose))
            rows.append((self._row(-loops, saved={pair: 1.0}), -np.inf, 0.0))
            rows.append((self._row(none, still={pair: -most}, saved={pair: 1.0}), -np.inf, 0.0))
        return rows

    def _fitting(self, room: Room) -> list[tuple[Floats, float, float]]:
        widths = [
            (self._row(self.logs.width(*place)), 0.0, most) for place, most in room.widths.items()
        ]
        words = [
            (self._row(self.logs.tile(role, level)), 0.0, max(0.0, most))
            for (level, role), most in room.words.items()
        ]
        return [*widths, *words]

    def solve(self, room: Room, nodes: int, seconds: float | None) -> tuple[Floats, float]:
        """Return the variables' values and the gap that is left of the optimum, as a share.

        Ends after so many ``nodes`` of branch and bound, or ``seconds``; no values where that is
        before there is a solution.
        """
        # A third of a second that only this strategy spends.
        from scipy.optimize import Bounds, LinearConstraint, milp

        rows, low, high = zip(*self._placed(), *self._standing(), *self._fitting(room), strict=True)
        most = [c.most for c in self.logs.counts]
        saved = [np.inf] * len(self.pairs)
        options: dict[str, Any] = {"node_limit": nodes, "mip_rel_gap": 1e-6}
        found = milp(
            self.cost,
            integrality=np.array([1] * (len(most) + len(self.pairs)) + [0] * len(self.pairs)),
            bounds=Bounds(0, np.array([*most, *[1] * len(self.pairs), *saved])),
            constraints=LinearConstraint(np.array(rows), low, high),
            options=options if seconds is None else {**options, "time_limit": seconds},
        )
        if found.x is None:
            return np.empty(0), np.inf
        return found.x, float(found.mip_gap or 0.0)

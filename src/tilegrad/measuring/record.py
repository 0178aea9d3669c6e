"""What is known of each layer once some programs were measured, and the best design of those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.mapping import LoopNest, stack
from tilegrad.measuring.best import BestMeasured, best_measured
from tilegrad.measuring.choice import Standing
from tilegrad.measuring.programs import Programs, energies
from tilegrad.measuring.table import Measured
from tilegrad.search.problem import SearchProblem


@dataclass(frozen=True)
class Record:
    """Measurements in order: ``layer`` (its place), ``energy`` [pJ] and ``cycles [row]``."""

    problem: SearchProblem
    rows: tuple[Measured, ...]
    layer: Tensor
    energy: Tensor
    cycles: Tensor

    @classmethod
    def of(cls, rows: Sequence[Measured], problem: SearchProblem) -> Record:
        """Return the record of a search's measurements."""
        layers = problem.workload.layers
        energy = [energies(problem, layers[row.layer], row.nest.alone())[0] for row in rows]
        return cls(
            problem,
            tuple(rows),
            torch.tensor([row.layer for row in rows], dtype=torch.int64),
            torch.stack(energy) if rows else torch.empty(0, dtype=torch.float64),
            torch.tensor([float(row.cycles) for row in rows], dtype=torch.float64),
        )

    def best(self, first: int | None = None) -> BestMeasured | None:
        """Return the best design of the ``first`` measurements; None: some layer has none."""
        layer, energy, cycles = (each[:first] for each in (self.layer, self.energy, self.cycles))
        goal = self.problem.goal
        return best_measured(layer, energy, cycles, goal.counts, goal.objective)

    def standing(self, programs: Sequence[Programs]) -> Standing:
        """Return what each layer takes: in the best design measured, else as predicted.

        Of a layer that was not measured it is the searched design's; one that cannot run counts
        for nothing.
        """
        places = [place for place, each in enumerate(programs) if len(each)]
        missing = [place for place in places if not bool((self.layer == place).any())]
        layer = torch.cat([self.layer, torch.tensor(missing, dtype=torch.int64)])
        energy = torch.cat([self.energy, *(programs[at].energy[:1] for at in missing)])
        cycles = torch.cat([self.cycles, *(programs[at].mean[:1].exp() for at in missing)])
        goal = self.problem.goal
        whole = torch.zeros(2, len(programs), dtype=torch.float64)
        place = torch.full((len(programs),), -1, dtype=torch.int64)
        place[places] = torch.arange(len(places))
        best = best_measured(place[layer], energy, cycles, goal.counts[places], goal.objective)
        assert best is not None
        rows = list(best.rows)
        whole[:, places] = torch.stack([energy[rows], cycles[rows]])
        return Standing(whole[0], whole[1], goal.counts)

    def design(self, best: BestMeasured) -> LoopNest:
        """Return the mappings ``[layer]`` of the best design."""
        return stack([self.rows[row].nest for row in best.rows])

"""What Gemmini's stages take, by learned costs: the part of a pipeline that a person can read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from math import expm1, log
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, softplus

from tilegrad.errors import ConfigError
from tilegrad.machines.gemmini.bursts import LEAST_SHARE
from tilegrad.predictors.ensemble import Ensemble
from tilegrad.predictors.schema import Schema
from tilegrad.predictors.stages import (
    COLUMNS,
    CONTROLLERS,
    COSTS,
    COUNTED,
    STAGES,
    TIMES,
    WRITTEN,
    executing,
    loading,
)

STATED = {"issue": "machine.issue_cycles", "start": "machine.start_cycles"}
"""Columns of what a machine's description may state, in place of what was learned."""

KINDS = ("convolution", "matmul")

_ISSUE = 150.0
_START = 500.0
_SHARPNESS = 2.0
_LEAST_STATED = 1e-3
_SPREAD = 0.1
"""Deviation of the members' first costs, in log."""


class Staged(Ensemble):
    """Stages whose costs are learned, a set of each for ``settings["members"]`` members.

    A stage's time is a sum of counts times learned cycles, all positive; the array's rows cost a
    cycle each. Where few commands fit in a stage's queue, they wait for each other (``loading``,
    ``executing``). Lines come to a few tiles in bursts, which the others do not wait for: both
    kinds of tiles have stages of their own. Filling and draining the pipeline adds the other
    stages of one tile, but the memory's, which are part of them. Where the machine's description
    states what the issue of a tile and the start of a program take, these are not the learned ones.
    """

    def __init__(self, schema: Schema, settings: dict[str, Any], **training: Any) -> None:
        super().__init__(schema, settings, **training)
        schema.latency_alone(self.kind)
        self._place = {name: place for place, name in enumerate(schema.columns)}
        missing = [name for name in (*COLUMNS, *STATED.values()) if name not in self._place]
        if missing:
            raise ConfigError(
                f"features={schema.features} has no column {missing[0]}, which model {self.kind} "
                "reads; choose features=commands"
            )
        members = settings["members"]
        shape = (members, len(KINDS))
        self.raw_cost = nn.ParameterDict(
            {stage: nn.Parameter(_first_costs(costs, shape)) for stage, costs in COSTS.items()}
        )
        self.log_issue = nn.Parameter(torch.full(shape, log(_ISSUE)) + _noise(shape))
        self.raw_sharpness = nn.Parameter(torch.full(shape, _inverse(_SHARPNESS)) + _noise(shape))
        self.log_start = nn.Parameter(torch.full((members,), log(_START)) + _noise((members,)))

    def stages(self, features: Tensor, slower: float = 0.0) -> Tensor:
        """Return the cycles of a mean tile in each stage, ``[..., member, stage]``.

        ``slower``: by how much, in log, the processor is where the machine does not state it.
        """
        times, share = self._times(features, slower)
        return torch.stack(list(_mean(times, share)), -1)

    def _times(self, features: Tensor, slower: float) -> tuple[list[list[Tensor]], Tensor]:
        """Return the cycles ``[..., member]`` of each stage, and the share of tiles that miss.

        Where tiles that fetch lines take another time than others, theirs and the others'; the
        share is ``[..., 1]``.
        """
        log_tiles = self._column(features, "count.tiles").unsqueeze(-1)
        matmul = self._column(features, "matmul").unsqueeze(-1) > 0
        issue = self._of_kind(self.log_issue, matmul)
        times = {"issue": self._stated(features, "issue", issue + slower).exp()}
        per_tile = (self._counted(features) - log_tiles).exp()
        convolution, product = (per_tile @ costs for costs in self._costs())
        spent = torch.where(matmul, product, convolution).unflatten(-1, (len(COSTS), -1))
        times |= dict(zip(COSTS, spent.unbind(-2), strict=True))
        rows = self._column(features, "count.executed_rows").unsqueeze(-1)
        times["execute"] = times["execute"] + (rows - log_tiles).exp()
        times["execute"] = executing(times["execute"], times["commands"], times["station"])
        share = (self._column(features, "miss.tiles").unsqueeze(-1) - log_tiles).exp()
        log_side = self._column(features, "hardware.pe_dim").unsqueeze(-1)
        moving, waiting, written = times["load"], times["wait"], times["written"]
        far, late, fetched = (times[name] / share for name in ("far", "late", "fetched"))
        found = {stage: [times[stage]] for stage in ("issue", "execute", "store")}
        found["load"] = [
            loading(moving + far, waiting + late, log_side),
            loading(moving, waiting, log_side),
        ]
        found["memory"] = [written + fetched, written]
        return [found[stage] for stage in STAGES], share

    def _stated(self, features: Tensor, name: str, learned: Tensor) -> Tensor:
        """Return the log of cycles ``[..., member]``: what the machine states, else ``learned``."""
        column = self._column(features, STATED[name]).unsqueeze(-1)
        return torch.where(column > log(_LEAST_STATED), column, learned)

    def together(self, features: Tensor, slower: float = 0.0) -> tuple[Tensor, Tensor]:
        """Return members' log cycles ``[..., member]`` of all tiles, whose stages overlap.

        And the logs of the stages' shares of them, ``[..., member, stage]``.
        """
        log_tiles = self._column(features, "count.tiles").unsqueeze(-1)
        matmul = self._column(features, "matmul").unsqueeze(-1) > 0
        times, share = self._times(features, slower)
        sharpness = 1 + self._of_kind(softplus(self.raw_sharpness), matmul)
        logs = [[each.log() for each in kinds] for kinds in times]
        always = _all_of([sharpness * each for each, *other in logs if not other])
        kinds = [
            _all_of([always, *(sharpness * both[kind] for both in logs if len(both) > 1)])
            for kind in range(2)
        ]
        weights = (share, (1 - share).clamp(min=LEAST_SHARE))
        steady = _all_of(
            [kind / sharpness + weight.log() for kind, weight in zip(kinds, weights, strict=True)]
        )
        mean = list(_mean(times, share))
        work = mean[CONTROLLERS]
        start = self._stated(features, "start", self.log_start + slower)
        once = reduce(torch.add, work) - reduce(torch.maximum, work) + start.exp()
        cycles = torch.logaddexp(log_tiles + steady, once.log())
        shares = [
            own[0] if len(own) == 1 else whole.log() for own, whole in zip(logs, mean, strict=True)
        ]
        found = torch.stack(torch.broadcast_tensors(*shares), -1)
        return cycles, found + (log_tiles - cycles).unsqueeze(-1)

    def _costs(self) -> tuple[Tensor, Tensor]:
        """Return the costs of a convolution and of a product, ``[name, stage * member]``."""
        stages = []
        for stage, costs in COSTS.items():
            learned = softplus(self.raw_cost[stage])
            place = torch.tensor([COUNTED.index(name) for name in costs], device=learned.device)
            stages.append(learned @ one_hot(place, len(COUNTED)).to(learned.dtype))
        found = torch.stack(stages)
        return found[:, :, 0].flatten(0, 1).T, found[:, :, 1].flatten(0, 1).T

    def _counted(self, features: Tensor) -> Tensor:
        """Return the logs of what costs time, ``[..., name]``."""
        counts = []
        for name in COUNTED:
            first, *others = (self._column(features, each) for each in TIMES.get(name, (name,)))
            count = sum(others, first)
            if name in WRITTEN:
                count = torch.maximum(count, self._column(features, WRITTEN[name]))
            counts.append(count)
        return torch.stack(counts, -1)

    def _column(self, features: Tensor, name: str) -> Tensor:
        return features[..., self._place[name]]

    def _of_kind(self, values: Tensor, matmul: Tensor) -> Tensor:
        """Return ``values [member, kind]`` of each row's kind, ``[..., member]``."""
        return torch.where(matmul, values[:, 1], values[:, 0])

    def bottlenecks(self, features: Tensor) -> tuple[tuple[str, ...], Tensor]:
        """Return the stages' names and the place of the longest one of a mean tile, ``[...]``."""
        return STAGES, self.stages(features).mean(-2).argmax(-1)

    def importances(self) -> dict[str, dict[str, float]]:
        """Return the learned costs in cycles, the mean over the members."""
        found: dict[str, dict[str, float]] = {}
        every = Counter(name for costs in COSTS.values() for name in costs)
        shared = [name for name, stages in every.items() if stages > 1]
        with torch.no_grad():
            for place, kind in enumerate(KINDS):
                table = {"issue of a tile": float(self.log_issue[:, place].exp().mean())}
                for stage, costs in COSTS.items():
                    learned = softplus(self.raw_cost[stage])[:, place].mean(0).tolist()
                    names = (f"{name} ({stage})" if name in shared else name for name in costs)
                    table |= dict(zip(names, learned, strict=True))
                found[f"cycles.{kind}"] = table
        return found


def _mean(times: list[list[Tensor]], share: Tensor) -> Sequence[Tensor]:
    """Return the mean tile's cycles ``[..., member]`` of each stage of ``_times``."""
    means = [
        kinds[0] if len(kinds) == 1 else kinds[1] + share * (kinds[0] - kinds[1]) for kinds in times
    ]
    return torch.broadcast_tensors(*means)


def _all_of(logs: Sequence[Tensor]) -> Tensor:
    """Return the log of a sum of few, elementwise: faster than along a dim of their own."""
    return reduce(torch.logaddexp, logs)


def _first_costs(costs: dict[str, float], shape: tuple[int, int]) -> Tensor:
    first = torch.tensor([_inverse(cycles) for cycles in costs.values()])
    return first.expand(*shape, len(costs)) + _noise((*shape, len(costs)))


def _inverse(value: float) -> float:
    """Return what softplus makes ``value`` of."""
    return log(expm1(value))


def _noise(shape: tuple[int, ...]) -> Tensor:
    return _SPREAD * torch.randn(shape)

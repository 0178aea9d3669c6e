"""Gemmini's decoupled pipeline: stages that overlap, with learned costs, and a correction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import expm1, log
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, softplus

from tilegrad.checks import positive_int, positive_number
from tilegrad.errors import ConfigError
from tilegrad.predictors.elsewhere import PROCESSORS, Elsewhere
from tilegrad.predictors.ensemble import Ensemble
from tilegrad.predictors.intervals import ErrorBand
from tilegrad.predictors.mlp import checked_widths
from tilegrad.predictors.perceptrons import Perceptrons
from tilegrad.predictors.schema import Schema
from tilegrad.predictors.stages import (
    COLUMNS,
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


class Pipeline(Ensemble):
    """Latency of a program as Gemmini runs it.

    The processor issues a tile, the load controller brings its inputs and weights, the array
    executes it, whose commands take time to come, and the store controller takes it out; each works
    on another tile, so a tile takes about as long as its longest stage: a smooth maximum whose
    sharpness is learned. A stage's time is a sum of counts times learned cycles, all positive; the
    array's rows cost a cycle each. Where few commands fit in a stage's queue, they wait for each
    other (``loading``, ``executing``).
    Filling and draining the pipeline adds the other stages of one tile. Where the machine's
    description states what the issue of a tile and the start of a program take, these are not the
    learned ones.

    A small network corrects the log by at most ``correction`` either way, but never to less than
    the rows that the array executes. ``members`` are trained beside each other from different
    first values. Intervals are wider on machines other than that of the training, whose facts
    ``settle`` tells.
    """

    least_seen: Tensor
    most_seen: Tensor

    kind = "pipeline"
    reads: ClassVar[str] = "commands"

    def __init__(
        self,
        schema: Schema,
        hidden: Sequence[int] = (16,),
        correction: float = 0.3,
        members: int = 8,
        **training: Any,
    ) -> None:
        widths = checked_widths(hidden)
        settings = {
            "hidden": widths,
            "correction": positive_number("model.correction", correction),
            "members": positive_int("model.members", members),
        }
        super().__init__(schema, settings, **training)
        schema.latency_alone(self.kind)
        self._place = {name: place for place, name in enumerate(schema.columns)}
        missing = [name for name in (*COLUMNS, *STATED.values()) if name not in self._place]
        if missing:
            raise ConfigError(
                f"features={schema.features} has no column {missing[0]}, which model pipeline "
                "reads; choose features=commands"
            )
        shape = (members, len(KINDS))
        self.raw_cost = nn.ParameterDict(
            {stage: nn.Parameter(_first_costs(costs, shape)) for stage, costs in COSTS.items()}
        )
        self.log_issue = nn.Parameter(torch.full(shape, log(_ISSUE)) + _noise(shape))
        self.raw_sharpness = nn.Parameter(torch.full(shape, _inverse(_SHARPNESS)) + _noise(shape))
        self.log_start = nn.Parameter(torch.full((members,), log(_START)) + _noise((members,)))
        self._facts = schema.places("machine")
        # Columns after what is stated say which machine it is, and nothing of a row.
        self._read = 1 + max(self._place[name] for name in STATED.values())
        self.correction = Perceptrons(members, [self._read + len(STAGES), *widths, 1])
        self.band = ErrorBand(self._read)
        for name in ("least_seen", "most_seen"):
            self.register_buffer(name, torch.zeros(self._read))

    def members(self, features: Tensor) -> Tensor:
        """Return the members' log cycles ``[..., member]``."""
        uncorrected, seen, shares = self._seen(features)
        bound = self._column(features, "count.executed_rows").unsqueeze(-1)
        return self._corrected(uncorrected, self.correction(seen, shares), bound)

    def _seen(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return members' logs before the correction, and what the network sees: shared and own."""
        log_tiles = self._column(features, "count.tiles")
        stages = self.stages(features)
        uncorrected = self._uncorrected(features, log_tiles, stages)
        shares = (stages.log() + log_tiles[..., None, None] - uncorrected.unsqueeze(-1)).clamp(
            -9, 0
        )
        # Beyond what it was trained on, the network says what it says at the end of it.
        seen = self._relative(features, log_tiles).clamp(self.least_seen, self.most_seen)
        return uncorrected, seen, shares

    def _corrected(self, uncorrected: Tensor, network: Tensor, bound: Tensor) -> Tensor:
        corrected = uncorrected + network.squeeze(-1).tanh() * self.settings["correction"]
        return torch.maximum(corrected, bound)

    def before(self, features: Tensor, later: Sequence[int]) -> Tensor:
        """Return what a prediction takes of all columns but those at the places ``later``.

        ``[..., 1 + member + member * unit]``, for ``after``. No count is among the others.
        """
        uncorrected, seen, shares = self._seen(features)
        seen[..., list(later)] = 0
        bound = self._column(features, "count.executed_rows").unsqueeze(-1)
        return torch.cat([bound, uncorrected, self.correction.begin(seen, shares)], -1)

    def after(self, found: Tensor, columns: Tensor, later: Sequence[int]) -> Tensor:
        """Return the log cycles ``[...]`` of what ``before`` found and the columns it left out."""
        places = list(later)
        members = self.settings["members"]
        bound, uncorrected, sums = found.split([1, members, found.shape[-1] - 1 - members], -1)
        scaled = (columns - self.feature_mean[places]) / self.feature_scale[places]
        seen = scaled.clamp(self.least_seen[places], self.most_seen[places])
        network = self.correction.end(sums + self.correction.added(seen, places))
        return self._corrected(uncorrected, network, bound).mean(-1)

    def least_of(self, found: Tensor) -> Tensor:
        """Return ``least`` of what ``before`` found."""
        bound, uncorrected = found[..., :1], found[..., 1 : 1 + self.settings["members"]]
        return torch.maximum(uncorrected - self.settings["correction"], bound).mean(-1)

    def least(self, features: Tensor) -> Tensor:
        """See ``Predictor.least``: what memories' sizes change is the correction alone."""
        return self._at_least(features, -self.settings["correction"])

    def _at_least(self, features: Tensor, corrected: float, slower: float = 0.0) -> Tensor:
        """Return mean log cycles ``[...]`` with a given correction; `slower` as in `stages`."""
        log_tiles, stages = self._column(features, "count.tiles"), self.stages(features, slower)
        found = self._uncorrected(features, log_tiles, stages, slower) + corrected
        bound = self._column(features, "count.executed_rows").unsqueeze(-1)
        return torch.maximum(found, bound).mean(-1)

    def elsewhere(self, features: Tensor) -> Elsewhere | None:
        """See ``Ensemble.elsewhere``: facts that the training's machine has not tell others."""
        unlike = (self.beyond_range(features)[..., self._facts] > 0).any(-1)
        if not unlike.any():
            return None
        usual = self._at_least(features, 0.0)
        changed = (self._at_least(features, 0.0, by) - usual for by in (PROCESSORS, -PROCESSORS))
        return Elsewhere(unlike, torch.maximum(*(change.abs() for change in changed)))

    def settle(self, features: Tensor) -> None:
        """Take the machine of ``features [row, column]`` for that of the training."""
        facts = features[:, self._facts].to(self.lowest.dtype)
        self.lowest[self._facts] = facts.amin(0)
        self.highest[self._facts] = facts.amax(0)

    def stages(self, features: Tensor, slower: float = 0.0) -> Tensor:
        """Return the cycles of a mean tile in each stage, ``[..., member, stage]``.

        ``slower``: by how much, in log, the processor is where the machine does not state it.
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
        log_side = self._column(features, "hardware.pe_dim").unsqueeze(-1)
        times["load"] = loading(times["load"], times["wait"], log_side)
        times["execute"] = executing(times["execute"], times["commands"], times["station"])
        return torch.stack(torch.broadcast_tensors(*(times[stage] for stage in STAGES)), -1)

    def _stated(self, features: Tensor, name: str, learned: Tensor) -> Tensor:
        """Return the log of cycles ``[..., member]``: what the machine states, else ``learned``."""
        column = self._column(features, STATED[name]).unsqueeze(-1)
        return torch.where(column > log(_LEAST_STATED), column, learned)

    def _uncorrected(
        self, features: Tensor, log_tiles: Tensor, stages: Tensor, slower: float = 0.0
    ) -> Tensor:
        matmul = self._column(features, "matmul").unsqueeze(-1) > 0
        sharpness = 1 + self._of_kind(softplus(self.raw_sharpness), matmul)
        logs = stages.log()
        steady = (logs * sharpness.unsqueeze(-1)).logsumexp(-1) / sharpness
        work = stages[..., 1:]
        start = self._stated(features, "start", self.log_start + slower)
        once = work.sum(-1) - work.amax(-1) + start.exp()
        return torch.logaddexp(log_tiles.unsqueeze(-1) + steady, once.log())

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

    def learn_scales(self, features: Tensor, log_targets: Tensor) -> None:
        """Take the scales, and the range in which the correction has seen features."""
        super().learn_scales(features, log_targets)
        relative = self._relative(features, self._column(features, "count.tiles"))
        self.least_seen.copy_(relative.amin(0))
        self.most_seen.copy_(relative.amax(0))

    def _relative(self, features: Tensor, log_tiles: Tensor) -> Tensor:
        """Return the scaled features that the network reads, counts per tile."""
        counted = [
            place for name, place in self._place.items() if name.startswith(("count", "miss"))
        ]
        features = features[..., : self._read]
        shift = torch.zeros(self._read, dtype=features.dtype, device=features.device)
        shift[counted] = 1
        shift[self._place["count.tiles"]] = 0
        mean, scale = self.feature_mean[: self._read], self.feature_scale[: self._read]
        centre = mean - shift * mean[self._place["count.tiles"]]
        return (features - shift * log_tiles.unsqueeze(-1) - centre) / scale

    def _column(self, features: Tensor, name: str) -> Tensor:
        return features[..., self._place[name]]

    def _of_kind(self, values: Tensor, matmul: Tensor) -> Tensor:
        """Return ``values [member, kind]`` of each row's kind, ``[..., member]``."""
        return torch.where(matmul, values[:, 1], values[:, 0])

    def bottlenecks(self, features: Tensor) -> tuple[tuple[str, ...], Tensor]:
        """Return the stages' names and the place of the longest one of a mean tile, ``[...]``."""
        return STAGES, self.stages(features).mean(-2).argmax(-1)

    def descended(self) -> Iterable[Any]:
        """Return the parameters; only the network's decay: costs are not likelier to be small."""
        network = list(self.correction.parameters())
        costs = [p for name, p in self.named_parameters() if not name.startswith("correction.")]
        return [{"params": network}, {"params": costs, "weight_decay": 0.0}]

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


def _first_costs(costs: dict[str, float], shape: tuple[int, int]) -> Tensor:
    first = torch.tensor([_inverse(cycles) for cycles in costs.values()])
    return first.expand(*shape, len(costs)) + _noise((*shape, len(costs)))


def _inverse(value: float) -> float:
    """Return what softplus makes ``value`` of."""
    return log(expm1(value))


def _noise(shape: tuple[int, ...]) -> Tensor:
    return _SPREAD * torch.randn(shape)

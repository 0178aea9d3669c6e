"""Gemmini's decoupled pipeline: stages that overlap, with learned costs, and a correction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from tilegrad.checks import positive_int, positive_number
from tilegrad.predictors.base import Batch
from tilegrad.predictors.elsewhere import PROCESSORS, Elsewhere
from tilegrad.predictors.familiar import Familiar
from tilegrad.predictors.intervals import ErrorBand
from tilegrad.predictors.likeness import PER_TILE, RATIOS, Likeness, properties
from tilegrad.predictors.mlp import checked_widths
from tilegrad.predictors.perceptrons import Perceptrons
from tilegrad.predictors.schema import Schema
from tilegrad.predictors.staged import STATED, Staged
from tilegrad.predictors.stages import STAGES

_PROPERTIES = len(STAGES) + 2 + len(PER_TILE) + len(RATIOS)


class Pipeline(Staged):
    """Latency of a program as Gemmini runs it.

    The processor issues a tile, the load controller brings its inputs and weights, the array
    executes it, whose commands take time to come, and the store controller takes it out; each works
    on another tile, so a tile takes about as long as its longest stage: a smooth maximum whose
    sharpness is learned (``Staged``).

    A small network corrects the log by at most ``correction`` either way, but never to less than
    the rows that the array executes. ``members`` are trained beside each other from different
    first values. Intervals are wider on machines other than that of the training, whose facts
    ``settle`` tells. Of so many ``measured`` programs of another machine it also knows what they
    have in common (``learn_likeness``), and of as many ``familiar`` ones how far others are from
    them (``familiarise``).
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
        measured: int = 0,
        familiar: int = 0,
        **training: Any,
    ) -> None:
        widths = checked_widths(hidden)
        settings = {
            "hidden": widths,
            "correction": positive_number("model.correction", correction),
            "members": positive_int("model.members", members),
            "measured": positive_int("model.measured", measured, least=0),
            "familiar": positive_int("model.familiar", familiar, least=0),
        }
        super().__init__(schema, settings, **training)
        self._facts = schema.places("machine")
        # Columns after what is stated say which machine it is, and nothing of a row.
        self._read = 1 + max(self._place[name] for name in STATED.values())
        self.correction = Perceptrons(members, [self._read + len(STAGES), *widths, 1])
        self.band = ErrorBand(self._read)
        for name in ("least_seen", "most_seen"):
            self.register_buffer(name, torch.zeros(self._read))
        self.likeness = Likeness(measured, _PROPERTIES) if measured else None
        self.familiar = Familiar(familiar, _PROPERTIES) if familiar else None

    def members(self, features: Tensor) -> Tensor:
        """Return the members' log cycles ``[..., member]``."""
        # A slope in each column that is read costs one of the length of all.
        features = features[..., : self._read]
        uncorrected, seen, shares = self._seen(features)
        bound = self._column(features, "count.executed_rows").unsqueeze(-1)
        return self._corrected(uncorrected, self.correction(seen, shares), bound)

    def _seen(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return members' logs before the correction, and what the network sees: shared and own."""
        uncorrected, shares = self._timed(features)
        # Beyond what it was trained on, the network says what it says at the end of it.
        relative = self._relative(features, self._column(features, "count.tiles"))
        return uncorrected, relative.clamp(self.least_seen, self.most_seen), shares.clamp(-9, 0)

    def _timed(self, features: Tensor, slower: float = 0.0) -> tuple[Tensor, Tensor]:
        """Return members' logs before the correction, and of the stages' shares of the time.

        ``slower`` is that of ``stages``.
        """
        uncorrected, shares = self.together(features, slower)
        if self.likeness is not None:
            alike = self.likeness(self._alike_by(features, shares))
            uncorrected = uncorrected + alike.unsqueeze(-1)
        return uncorrected, shares

    def _alike_by(self, features: Tensor, shares: Tensor) -> Tensor:
        return properties(lambda name: self._column(features, name), shares.mean(-2))

    def learn_likeness(self, rows: Batch) -> None:
        """Learn from measured rows what is left of their errors; what was learnt so is dropped."""
        self.likeness, features = None, rows["features"]
        errors = (rows["log_targets"] - self(features)).squeeze(-1)
        alike_by = self._alike_by(features, self._timed(features)[1])
        self.settings = {**self.settings, "measured": len(features)}
        self.likeness = Likeness(*alike_by.shape).to(alike_by)
        self.likeness.learn(alike_by, rows["layer"], errors)

    def familiarise(self, rows: Batch, apart: Tensor) -> Tensor:
        """See ``Ensemble.familiarise``."""
        features = rows["features"]
        alike_by = self._alike_by(features, self._timed(features)[1])
        self.settings = {**self.settings, "familiar": len(features)}
        self.familiar = Familiar(*alike_by.shape).to(alike_by)
        return self.familiar.learn(alike_by, apart)

    def unfamiliar(self, features: Tensor) -> Tensor:
        """See ``Ensemble.unfamiliar``."""
        assert self.familiar is not None
        return self.familiar(self._alike_by(features, self._timed(features)[1]))

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
        bound = self._column(features, "count.executed_rows").unsqueeze(-1)
        return torch.maximum(self._timed(features, slower)[0] + corrected, bound).mean(-1)

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

    def descended(self) -> Iterable[Any]:
        """Return the parameters; only the network's decay: costs are not likelier to be small."""
        network = list(self.correction.parameters())
        costs = [p for name, p in self.named_parameters() if not name.startswith("correction.")]
        return [{"params": network}, {"params": costs, "weight_decay": 0.0}]

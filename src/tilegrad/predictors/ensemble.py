"""Members trained beside each other, each without some layers: what calibrates intervals."""

from __future__ import annotations

from torch import Tensor, arange

from tilegrad.predictors.base import Batch, Predictor
from tilegrad.predictors.elsewhere import Elsewhere
from tilegrad.predictors.intervals import ErrorBand

_MEDIAN_OF_A_NORMAL = 0.6745
"""Median distance from the mean, in deviations."""


class Ensemble(Predictor):
    """Predicts one target by the mean of its members' logs.

    Each member leaves out one layer in as many: what it predicts there calibrates the intervals of
    their mean. ``band`` reads the first columns of the features, those after it only tell the
    machine.
    """

    band: ErrorBand

    def members(self, features: Tensor) -> Tensor:
        """Return the members' log targets ``[..., member]``."""
        raise NotImplementedError

    def elsewhere(self, features: Tensor) -> Elsewhere | None:
        """Return which rows are of a machine that was not trained on; None: none is."""
        raise NotImplementedError

    def familiarise(self, rows: Batch, apart: Tensor) -> Tensor:
        """Learn which rows are like the trained ones; return how much less sure each is, ``[row]``.

        Of rows left out together, which ``apart [row]`` tells, only others are like them.
        """
        raise NotImplementedError

    def unfamiliar(self, features: Tensor) -> Tensor:
        """Return how many times larger errors are for being unlike the trained rows, ``[...]``."""
        raise NotImplementedError

    def standardised(self, features: Tensor) -> Tensor:
        """Return standardised log targets ``[..., 1]``: the mean of the members'."""
        mean = self.members(features).mean(-1, keepdim=True)
        return (mean - self.target_mean) / self.target_scale

    def _loss(self, batch: Batch) -> Tensor:
        """Every member has its own loss, as if trained alone."""
        predicted = (self.members(batch["features"]) - self.target_mean) / self.target_scale
        target = (batch["log_targets"] - self.target_mean) / self.target_scale
        left_out = self._left_out(batch["layer"])
        counts = None if left_out is None else (~left_out).to(predicted.dtype)
        return self.loss(predicted, target.expand_as(predicted), batch["layer"], counts)

    def _left_out(self, layer: Tensor) -> Tensor | None:
        """Return which member leaves out a row, ``[row, member]``; None where all see all."""
        members = self.settings["members"]
        if members == 1:
            return None
        return layer.unsqueeze(-1) % members == arange(members, device=layer.device)

    def calibrate(self, rows: Batch) -> None:
        """Calibrate the intervals on what each member predicts of the layers it left out."""
        left_out = self._left_out(rows["layer"])
        if left_out is None:
            return
        members = self.members(rows["features"])
        predicted = (members * left_out).sum(-1)
        errors = predicted - rows["log_targets"].squeeze(-1)
        spread = members.std(-1)
        errors = errors * _lead_of_the_mean(errors, spread, self.settings["members"])
        unfamiliar = self.familiarise(rows, left_out.int().argmax(-1))
        self.band.calibrate(self.told(rows["features"]), errors, spread, unfamiliar)

    def told(self, features: Tensor) -> Tensor:
        """Return the scaled features that say something of errors, ``[..., column]``."""
        return self.scaled(features)[..., : len(self.band.weight)]

    def half_width(self, features: Tensor, level: float) -> Tensor | None:
        """See ``Predictor.half_width``."""
        if not self.band.calibrated:
            return None
        spread, unfamiliar = self._spread(features), self.unfamiliar(features)
        elsewhere = self._elsewhere(features, unfamiliar)
        width = self.band.half_width(self.told(features), spread, level, elsewhere)
        return (width * unfamiliar)[..., None]

    def reaching_level(self, features: Tensor, errors: Tensor) -> Tensor | None:
        """See ``Predictor.reaching_level``."""
        if not self.band.calibrated:
            return None
        spread, unfamiliar = self._spread(features), self.unfamiliar(features)
        elsewhere = self._elsewhere(features, unfamiliar)
        errors = errors.squeeze(-1) / unfamiliar
        return self.band.level(self.told(features), spread, errors, elsewhere)[..., None]

    def _elsewhere(self, features: Tensor, unfamiliar: Tensor) -> Elsewhere | None:
        """Return ``elsewhere`` for errors over ``unfamiliar [...]``: no processor differs by it."""
        found = self.elsewhere(features)
        return found and Elsewhere(found.unlike, found.processor / unfamiliar)

    def _spread(self, features: Tensor) -> Tensor:
        return self.members(features).std(-1)


def _lead_of_the_mean(errors: Tensor, spread: Tensor, members: int) -> Tensor:
    """Return the error of the mean of all members as a share of one member's.

    Members deviate independently from what they have in common, so that the variance of their mean
    lacks all but one in ``members`` of theirs. Both are robust estimates, as errors have long
    tails. Most members have seen the layer and deviate less than on a new one: the share is an
    upper one.
    """
    noise = (spread.median() * _MEDIAN_OF_A_NORMAL / errors.abs().median()) ** 2
    return (1 - (1 - 1 / members) * noise).clamp(min=0.25).sqrt()

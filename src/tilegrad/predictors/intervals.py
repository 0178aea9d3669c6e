"""How far predictions may be off: intervals calibrated on layers that were not trained on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tilegrad.checks import is_number
from tilegrad.errors import ConfigError
from tilegrad.predictors.elsewhere import LEVEL, Elsewhere

LEVELS = 400
"""Steps of the table of quantiles."""

_RIDGE = 30.0
"""In rows: the features say little of the error, and layers are few."""
_LEAST_ERROR = 0.01
_ROUNDING = 1e-9
_LOG_RANGE = 1.0
"""How far a row's usual error may lie from the average one, in log."""


class ErrorBand(nn.Module):
    """Quantiles of errors, relative to what is usual for the features.

    Errors are differences of logs. The usual error is log-linear in the features, and larger where
    the members of an ensemble disagree more than on any row of the calibration: there the features
    are unlike those seen. Quantiles are those of split conformal prediction (Vovk et al. 2005;
    normalised as in Papadopoulos et al. 2008): the level holds for layers drawn like those of the
    calibration.
    """

    weight: Tensor
    bias: Tensor
    most_spread: Tensor
    quantiles: Tensor

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(columns))
        self.register_buffer("bias", torch.zeros(()))
        self.register_buffer("most_spread", torch.zeros(()))
        self.register_buffer("quantiles", torch.full((LEVELS + 1,), torch.nan))

    @property
    def calibrated(self) -> bool:
        """Whether there are quantiles."""
        return not bool(self.quantiles.isnan().any())

    def calibrate(
        self, scaled: Tensor, errors: Tensor, spread: Tensor, unfamiliar: Tensor | float = 1.0
    ) -> None:
        """Learn from rows of layers that their predictor did not see.

        ``scaled [row, column]`` are standardised features, ``errors [row]`` differences of logs,
        ``spread [row]`` the members' deviation. What is learnt is of errors over ``unfamiliar
        [row]``, but for what is usual for the features.
        """
        sizes = errors.abs().double()
        logs = (sizes + _LEAST_ERROR).log()
        table = scaled.double()
        self.bias.copy_(logs.mean())
        penalty = _RIDGE * torch.eye(table.shape[1], dtype=table.dtype, device=table.device)
        self.weight.copy_(
            torch.linalg.solve(table.T @ table + penalty, table.T @ (logs - logs.mean()))
        )
        self.most_spread.copy_(spread.max())
        relative = sizes / (self.usual(scaled, spread) * unfamiliar).double()
        levels = torch.linspace(0, 1, LEVELS + 1, dtype=table.dtype, device=table.device)
        of_a_new_row = (levels * (1 + 1 / len(relative))).clamp(max=1)
        self.quantiles.copy_(torch.quantile(relative, of_a_new_row))

    def scale_to(self, scaled: Tensor, errors: Tensor, spread: Tensor, layer: Tensor) -> None:
        """Scale all quantiles to a few rows of another machine, as ``calibrate`` takes them.

        By the one factor with which the interval of 90 % holds for a new layer's: all of ``layer
        [row]`` count alike, however many rows they have, and of one more nothing is known (split
        conformal prediction where layers are exchangeable, not their rows; Dunn et al. 2023).
        """
        relative, order = (errors.abs() / self.usual(scaled, spread)).sort()
        _, place, rows = layer.unique(return_inverse=True, return_counts=True)
        shares = (1 / (rows[place] * (len(rows) + 1)).double())[order].cumsum(0)
        reached = int((shares < LEVEL - _ROUNDING).sum())
        asked = relative[min(reached, len(relative) - 1)]
        self.quantiles.mul_(asked / self._quantile)

    @property
    def _quantile(self) -> Tensor:
        return self.quantiles[round(LEVEL * LEVELS)]

    def usual(self, scaled: Tensor, spread: Tensor, elsewhere: Elsewhere | None = None) -> Tensor:
        """Return the usual error ``[...]``; ``elsewhere``: of rows of which some are."""
        departure = (scaled @ self.weight).clamp(-_LOG_RANGE, _LOG_RANGE)
        found = (self.bias + departure).exp() * (spread / self.most_spread).clamp(min=1)
        return found if elsewhere is None else elsewhere.usual(found, self._quantile)

    def half_width(
        self, scaled: Tensor, spread: Tensor, level: float, elsewhere: Elsewhere | None = None
    ) -> Tensor:
        """Return how far an interval of ``level`` reaches to either side, in log, ``[...]``."""
        if not is_number(level) or not 0 < level < 1:
            raise ConfigError(f"level is {level!r}; legal: a number between 0 and 1")
        place = level * LEVELS
        below = int(place)
        share = place - below
        quantile = (1 - share) * self.quantiles[below] + share * self.quantiles[below + 1]
        return self.usual(scaled, spread, elsewhere) * quantile

    def level(
        self, scaled: Tensor, spread: Tensor, errors: Tensor, elsewhere: Elsewhere | None = None
    ) -> Tensor:
        """Return the level of the smallest interval that reaches each error, ``[...]``."""
        relative = (errors.abs() / self.usual(scaled, spread, elsewhere)).contiguous()
        return torch.searchsorted(self.quantiles, relative).clamp(max=LEVELS) / LEVELS

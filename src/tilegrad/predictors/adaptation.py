"""A trained pipeline on another machine: a handful of its measurements, the rest as it was.

Another machine has the same stages with other costs: a faster processor, a slower memory. Its costs
are those of the trained one times factors, whose logs are likely small (a normal prior): one factor
for each cost, shared by convolutions and products, and a smaller one for each of both. They are the
same for all members of the ensemble. The network's correction is the trained machine's alone and
left out: with it, errors on a second machine's unseen layers were larger (docs/rtl.md).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import huber_loss, softplus

from tilegrad.errors import ConfigError
from tilegrad.predictors.base import Batch
from tilegrad.predictors.pipeline import KINDS, Pipeline

STEPS = 120
RATE = 0.1
DELTA = 0.1
"""From which error, in log, the loss grows linearly."""
PRIOR = 0.1
"""Weight of the prior against one measurement."""
OF_KIND = 3.0
"""How many times likelier a factor for both kinds is than one for each."""
FOLDS = 4


@dataclass(frozen=True)
class Adaptation:
    """The predictor of the other machine, and mean relative errors on its layers.

    ``before`` is the trained predictor's, ``after`` that on layers left out of the adaptation.
    """

    predictor: Pipeline
    before: float
    after: float


def adapted(predictor: Pipeline, rows: Batch) -> Adaptation:
    """Return the predictor for the machine on which ``rows`` were measured.

    Its intervals are for that machine: scaled by how far predictions of layers were off whose rows
    were left out. Raises ``ConfigError`` on measurements of fewer than two layers.
    """
    layers = len(rows["layer"].unique())
    if layers < 2:
        raise ConfigError(
            f"the measurements are of {layers} layer; legal: 2 or more, as intervals come from "
            "layers left out"
        )
    found = _adapted(predictor, rows)
    scaled, errors, spread = _left_out(predictor, rows)
    with torch.no_grad():
        found.band.scale_to(scaled, errors, spread)
        untouched = predictor.members(rows["features"]).mean(-1)
        before = untouched - rows["log_targets"].squeeze(-1)
    return Adaptation(found, _relative(before), _relative(errors))


def _relative(errors: Tensor) -> float:
    return float(torch.expm1(errors).abs().mean())


class _Factors(nn.Module):
    """Logs of the factors: of the costs by stage ``[cost, 1 + kind]``, and of the other times."""

    def __init__(self, predictor: Pipeline) -> None:
        super().__init__()
        columns = 1 + len(KINDS)
        sizes = {stage: raw.shape[-1] for stage, raw in predictor.raw_cost.items()}
        self.cost = nn.ParameterDict(
            {stage: nn.Parameter(torch.zeros(size, columns)) for stage, size in sizes.items()}
        )
        self.issue = nn.Parameter(torch.zeros(1, columns))
        self.start = nn.Parameter(torch.zeros(1, 1))

    def penalty(self) -> Tensor:
        """Return minus the log of the prior, but for its scale."""
        total = self.start.square().sum()
        for factors in (*self.cost.values(), self.issue):
            total = total + factors[:, 0].square().sum() + OF_KIND * factors[:, 1:].square().sum()
        return total

    def apply(self, raw: dict[str, Tensor]) -> dict[str, Tensor]:  # type: ignore[override]
        """Return the predictor's parameters by name with the factors in them."""
        changed = dict(raw)
        for stage, factors in self.cost.items():
            name = f"raw_cost.{stage}"
            cost = softplus(raw[name]) * _by_kind(factors).T.exp()
            # What softplus makes the cost of; so small ones keep their digits.
            changed[name] = cost + (-torch.expm1(-cost)).log()
        changed["log_issue"] = raw["log_issue"] + _by_kind(self.issue)[0]
        changed["log_start"] = raw["log_start"] + self.start[0]
        return changed


def _by_kind(factors: Tensor) -> Tensor:
    """Return the logs for each kind ``[cost, kind]``."""
    return factors[:, :1] + factors[:, 1:]


def _adapted(predictor: Pipeline, rows: Batch) -> Pipeline:
    found = deepcopy(predictor).double().requires_grad_(False)
    with torch.no_grad():
        found.correction.weight[-1].zero_()
        found.correction.bias[-1].zero_()
    raw = {name: value.detach() for name, value in found.named_parameters()}
    factors = _Factors(found).double()
    features, targets = rows["features"].double(), rows["log_targets"].double().squeeze(-1)
    optimizer = torch.optim.Adam(factors.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS)
    for _ in range(STEPS):
        optimizer.zero_grad()
        predicted = torch.func.functional_call(found, factors.apply(raw), (features,)).squeeze(-1)
        misfit = huber_loss(predicted, targets, delta=DELTA) / DELTA
        (misfit + PRIOR / len(targets) * factors.penalty()).backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        for name, value in factors.apply(raw).items():
            found.get_parameter(name).copy_(value)
    return found.to(predictor.target_mean.dtype)


def _left_out(predictor: Pipeline, rows: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Return scaled features, errors and spreads of rows predicted without their layers'."""
    layers, place = rows["layer"].unique(return_inverse=True)
    fold = place % min(FOLDS, len(layers))
    parts = []
    for number in fold.unique().tolist():
        kept, left = fold != number, fold == number
        model = _adapted(predictor, {name: values[kept] for name, values in rows.items()})
        features = rows["features"][left]
        members = model.members(features)
        errors = members.mean(-1) - rows["log_targets"][left].squeeze(-1)
        parts.append((model.scaled(features), errors.detach(), members.std(-1).detach()))
    scaled, errors, spread = (torch.cat(part) for part in zip(*parts, strict=True))
    return scaled, errors, spread

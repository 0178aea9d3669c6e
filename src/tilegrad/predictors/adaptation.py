"""A trained pipeline on another machine: a handful of its measurements, the rest as it was.

Another machine has the same stages with other costs: a faster processor, a slower memory. Its costs
are those of the trained one times factors, whose logs are likely small (a normal prior): one factor
for each cost, shared by convolutions and products, and a smaller one for each of both. Factors also
say how sharply stages follow each other, and how much is left of the network's correction, which is
the trained machine's. They are the same for all members of the ensemble. What errors programs alike
then have in common is learnt on top (``likeness``).
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call, vmap
from torch.nn.functional import huber_loss, softplus

from tilegrad.errors import ConfigError
from tilegrad.predictors.base import Batch
from tilegrad.predictors.pipeline import Pipeline
from tilegrad.predictors.staged import KINDS

STEPS = 120
RATE = 0.1
DELTA = 0.1
"""From which error, in log, the loss grows linearly."""
PRIOR = 0.5
"""Weight of the prior against one measurement: what the trained machine's costs say of others is
worth much, as costs that fit forty programs best mislead on other layers."""
OF_PROCESSOR = 0.2
"""How much of the prior holds for the processor's own times, in which machines differ most."""
OF_KIND = 3.0
"""How many times likelier a factor for both kinds is than one for each."""
FOLDS = 10

ISSUE, START, SHARPNESS, CORRECTION = "log_issue", "log_start", "raw_sharpness", "correction"
PROCESSOR = (ISSUE, START)
KEPT = 0.2
"""The share of the correction that another machine is likely to have as well."""
_SHARPENED = 2.0
"""How much of the raw sharpness a unit is, so that the prior does not hold it too firmly."""

Values = Mapping[str, Tensor]


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
    layers, place = rows["layer"].unique(return_inverse=True)
    if len(layers) < 2:
        raise ConfigError(
            f"the measurements are of {len(layers)} layer; legal: 2 or more, as intervals come "
            "from layers left out"
        )
    fold = place % min(FOLDS, len(layers))
    # Of all rows, and of all rows but one fold's.
    kept = torch.stack([fold != number for number in range(-1, int(fold.max()) + 1)])
    found, *without = _adapted(predictor, rows, kept)
    with torch.no_grad():
        scaled, errors, spread = _left_out(without, rows, fold)
        # Of the measured programs, others may be far where the trained ones are near.
        unfamiliar = found.familiarise(rows, fold)
        found.band.scale_to(scaled, errors / unfamiliar, spread, rows["layer"])
        found.settle(rows["features"])
        untouched = predictor.members(rows["features"]).mean(-1)
        before = untouched - rows["log_targets"].squeeze(-1)
    return Adaptation(found, _relative(before), _relative(errors))


def _relative(errors: Tensor) -> float:
    return float(torch.expm1(errors).abs().mean())


def no_factors(predictor: Pipeline, models: int) -> dict[str, Tensor]:
    """Return logs of factors, all 0: of costs ``[model, cost, 1 + kind]``, and of other times."""
    kinds = 1 + len(KINDS)
    sizes = {f"raw_cost.{stage}": raw.shape[-1] for stage, raw in predictor.raw_cost.items()}
    shapes = {name: (size, kinds) for name, size in sizes.items()}
    shapes |= {ISSUE: (1, kinds), SHARPNESS: (1, kinds), START: (1, 1), CORRECTION: (1, 1)}
    return {
        name: torch.zeros(models, *shape, dtype=torch.float64, requires_grad=True)
        for name, shape in shapes.items()
    }


def precision(name: str, values: Tensor) -> Tensor:
    """Return how firmly the prior holds factors ``[..., 1 + kind]`` near 1, but for its scale."""
    held = torch.ones_like(values)
    held[..., 1:] = OF_KIND
    return held * OF_PROCESSOR if name in PROCESSOR else held


def _penalty(factors: Values) -> Tensor:
    """Return minus the log of the prior of all models, but for its scale."""
    terms = [(precision(name, each) * each.square()).sum() for name, each in factors.items()]
    return torch.stack(terms).sum()


def applied(raw: Values, factors: Values) -> dict[str, Tensor]:
    """Return a predictor's parameters by name with the factors of one model in them."""
    changed = dict(raw)
    for name, values in factors.items():
        if name.startswith("raw_cost."):
            cost = softplus(raw[name]) * _by_kind(values).T.exp()
            # What softplus makes the cost of; so small ones keep their digits.
            changed[name] = cost + (-torch.expm1(-cost)).log()
    changed[ISSUE] = raw[ISSUE] + _by_kind(factors[ISSUE])[0]
    changed[SHARPNESS] = raw[SHARPNESS] + _SHARPENED * _by_kind(factors[SHARPNESS])[0]
    changed[START] = raw[START] + factors[START][0]
    for name in _last_layer(raw):
        changed[name] = raw[name] * KEPT * factors[CORRECTION].exp()
    return changed


def _last_layer(raw: Values) -> tuple[str, str]:
    """Return the names of what the correction's last layer is made of."""
    weights = [name for name in raw if name.startswith(f"{CORRECTION}.weight.")]
    last = max(weights, key=lambda name: int(name.rpartition(".")[2]))
    return last, last.replace(".weight.", ".bias.")


def _by_kind(factors: Tensor) -> Tensor:
    """Return the logs for each kind ``[cost, kind]``."""
    return factors[:, :1] + factors[:, 1:]


def _adapted(predictor: Pipeline, rows: Batch, kept: Tensor) -> list[Pipeline]:
    """Return a predictor for each choice of rows ``kept [model, row]``, all descended at once."""
    found = deepcopy(predictor).double().requires_grad_(False)
    found.likeness = None
    raw = {name: value.detach() for name, value in found.named_parameters()}
    factors = no_factors(found, len(kept))
    features, targets = rows["features"].double(), rows["log_targets"].double().squeeze(-1)
    shares = kept.double() / kept.sum(-1, keepdim=True)

    def predicted(own: Values) -> Tensor:
        return functional_call(found, applied(raw, own), (features,)).squeeze(-1)

    optimizer = torch.optim.Adam(factors.values(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS)
    for _ in range(STEPS):
        optimizer.zero_grad()
        guesses = vmap(predicted)(factors)
        misfits = huber_loss(guesses, targets.expand_as(guesses), reduction="none", delta=DELTA)
        held = PRIOR / len(targets) * _penalty(factors)
        ((misfits * shares).sum() / DELTA + held).backward()
        optimizer.step()
        schedule.step()
    made = []
    with torch.no_grad():
        for number in range(len(kept)):
            model = deepcopy(found)
            own = {name: values[number] for name, values in factors.items()}
            for name, value in applied(raw, own).items():
                model.get_parameter(name).copy_(value)
            made.append(model.to(predictor.target_mean.dtype))
            seen = {name: values[kept[number]] for name, values in rows.items()}
            made[-1].learn_likeness(seen)
    return made


def _left_out(without: list[Pipeline], rows: Batch, fold: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return scaled features, errors and spreads of rows predicted ``without`` their fold's."""
    parts, places = [], []
    for number, model in enumerate(without):
        left = (fold == number).nonzero().squeeze(-1)
        features = rows["features"][left]
        members = model.members(features)
        errors = members.mean(-1) - rows["log_targets"][left].squeeze(-1)
        parts.append((model.told(features), errors, members.std(-1)))
        places.append(left)
    order = torch.cat(places).argsort()
    scaled, errors, spread = (torch.cat(part)[order] for part in zip(*parts, strict=True))
    return scaled, errors, spread

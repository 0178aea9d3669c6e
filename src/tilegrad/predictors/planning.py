"""Which programs to measure first on another machine: those that say most about its costs."""

from __future__ import annotations

from copy import deepcopy
from math import ceil

import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap

from tilegrad.predictors.adaptation import DELTA, PRIOR, applied, no_factors, precision
from tilegrad.predictors.pipeline import Pipeline

_ROWS_AT_ONCE = 256


def most_telling(predictor: Pipeline, features: Tensor, layer: Tensor, count: int) -> list[int]:
    """Return the places of ``count`` rows of ``features [row, column]``, the most telling first.

    Each is the row whose time is least certain, the machine's factors being as uncertain as those
    before leave them: a Bayesian linear model of log times in the factors about the predictor as it
    is, whose prior and noise are those of ``adapted``. Twice as many rows of a layer as of all on
    average are not chosen: what holds for one layer only would be learnt from it.
    """
    slopes = _slopes(predictor, features)
    most = ceil(2 * count / len(layer.unique()))
    chosen: list[int] = []
    uncertain = torch.eye(slopes.shape[1], dtype=slopes.dtype)
    open_rows = torch.ones(len(slopes), dtype=torch.bool)
    for _ in range(min(count, len(slopes))):
        variance = ((slopes @ uncertain) * slopes).sum(-1)
        place = int(variance.where(open_rows, -torch.ones_like(variance)).argmax())
        if not open_rows[place]:
            break
        chosen.append(place)
        seen = uncertain @ slopes[place]
        uncertain = uncertain - torch.outer(seen, seen) / (DELTA + variance[place])
        open_rows[place] = False
        if int((layer[chosen] == layer[place]).sum()) >= most:
            open_rows &= layer != layer[place]
    return chosen


def _slopes(predictor: Pipeline, features: Tensor) -> Tensor:
    """Return by how much log times change by factors, in units of these' prior, ``[row, factor]``.

    The prior is the normal one of ``adapted``.
    """
    found = deepcopy(predictor).double().requires_grad_(False)
    raw = {name: value.detach() for name, value in found.named_parameters()}
    none = {name: values[0].detach() for name, values in no_factors(found, 1).items()}

    def predicted(factors: dict[str, Tensor], row: Tensor) -> Tensor:
        return functional_call(found, applied(raw, factors), (row,)).squeeze(-1)

    slopes = vmap(grad(predicted), in_dims=(None, 0), chunk_size=_ROWS_AT_ONCE)
    columns = []
    for name, values in slopes(none, features.double()).items():
        scale = 2 * PRIOR * precision(name, values[0])
        columns.append((values / scale.sqrt()).flatten(1))
    return torch.cat(columns, -1)

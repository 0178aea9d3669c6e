"""The rows that predictors learn from: features and log targets as flat tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.cost.footprint import footprint
from tilegrad.errors import DataError
from tilegrad.mapping import format_shorthand
from tilegrad.nest import analyse
from tilegrad.predictors.features import FeatureSet
from tilegrad.schedules import Schedules

_ROWS_AT_ONCE = 16_384


@dataclass(frozen=True)
class Examples:
    """``features [row, column]``, ``targets [row, target]`` in their units, groups ``[row]``.

    Targets are float64: measurements that differ in a digit rank differently.
    """

    features: Tensor
    targets: Tensor
    layer: Tensor
    machine: Tensor
    network: Tensor | None

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, index: Tensor) -> dict[str, Tensor]:
        """Return the rows at ``index`` as predictors read them."""
        return {
            "features": self.features[index],
            "log_targets": self.targets[index].log().float(),
            "layer": self.layer[index],
        }


def feature_rows(schedules: Schedules, features: FeatureSet, targets: Sequence[str]) -> Examples:
    """Return the features, in float32, and targets of schedules.

    Raises ``DataError`` where the source does not measure a target, or a row has no logarithm of
    it, a loop that no feature tells, or no finite feature.
    """
    for target in targets:
        if target not in schedules.targets:
            measured = ", ".join(schedules.targets)
            raise DataError(f"targets: these schedules measure no {target} (they have {measured})")
    _check_loops(schedules, features)
    chunks = torch.arange(len(schedules)).split(_ROWS_AT_ONCE)
    rows = Examples(
        torch.cat([_features(schedules[chunk], features) for chunk in chunks]),
        torch.stack([schedules.targets[target] for target in targets], -1),
        schedules.layer,
        schedules.machine,
        schedules.network,
    )
    _check_cells(rows.targets, targets, rows.targets.isfinite() & (rows.targets > 0), "> 0")
    names = [column.name for column in features.schema(schedules.accelerator)]
    _check_cells(rows.features, names, rows.features.isfinite(), "that are finite")
    return rows


def _check_loops(schedules: Schedules, features: FeatureSet) -> None:
    """Refuse mappings that the features cannot tell from others, naming the first."""
    unread = features.unread(schedules.nests, schedules.accelerator).nonzero().flatten().tolist()
    if not unread:
        return
    text = format_shorthand(schedules.nests[unread[0]], schedules.accelerator)
    raise DataError(
        f"features={features.name} has no column for some loop of row {unread[0] + 1:,}, {text!r}, "
        f"and of {len(unread) - 1:,} other rows: it knows loops where a search puts them "
        "(accelerator.levels[].loops); legal: such rows, or features=analytical, which read all"
    )


def _check_cells(values: Tensor, names: Sequence[str], right: Tensor, legal: str) -> None:
    """Refuse a table ``[row, column]`` with cells that are not ``right``, naming the first."""
    if right.all():
        return
    row, column = (int(place) for place in (~right).nonzero()[0])
    raise DataError(
        f"{names[column]} of row {row + 1:,} is {float(values[row, column]):g}, and "
        f"{int((~right).any(1).sum()) - 1:,} other rows have such cells; legal: numbers {legal}, "
        "as their logarithms are learnt"
    )


def _features(schedules: Schedules, features: FeatureSet) -> Tensor:
    accelerator = schedules.accelerator
    features = features.measured_by(schedules.programs, schedules.calls)
    sums = footprint(analyse(schedules.nests, schedules.strides, accelerator), accelerator)
    context = features.context(schedules.nests, schedules.bounds, schedules.strides, accelerator)
    columns = features.columns(sums, context, accelerator, schedules.hardware)
    return columns.expand(len(schedules), -1).float()

"""Folds, and the rows of each: groups that are drawn, left out one by one, or held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from sklearn.model_selection import LeaveOneGroupOut
from torch import Tensor

from tilegrad.errors import DataError


@dataclass(frozen=True)
class Fold:
    """One training and its test: a name, and rows of each."""

    name: str
    train: Tensor
    test: Tensor


def everything(rows: int) -> Fold:
    """Return the fold that tests no rows: the others train, or are held out to stop it."""
    return Fold("refit", torch.arange(rows), torch.arange(0))


def grouped_folds(ids: Tensor, count: int, seed: int, what: str) -> list[Fold]:
    """Return folds in which every group ``ids [row]`` is tested once, as many in each as may be.

    The draw is ours and not GroupKFold's, which for the same seed would change every figure.
    """
    present, place = ids.unique(return_inverse=True)
    check_count(count, len(present), what)
    fold = torch.empty(len(present), dtype=torch.int64)
    fold[shuffled(len(present), seed)] = torch.arange(len(present)) % count
    return left_out(fold[place], numbers(count))


def hold_out(ids: Tensor, rows: Tensor, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Part ``rows`` in two by their groups ``ids [row]``: to train on, and about ``share`` to keep.

    Nothing is kept for a share of 0; else a group at least. Where there is a single group, its rows
    are parted. Raises ``DataError`` on fewer than 2 rows.
    """
    if len(rows) < 2:
        raise DataError(f"split: {len(rows)} rows are left to train on; legal: 2 or more")
    if not share:
        return rows, rows[:0]
    of_row = ids[rows]
    present, place = of_row.unique(return_inverse=True)
    if len(present) < 2:
        present, place = rows, torch.arange(len(rows))
    held = min(max(1, round(share * len(present))), len(present) - 1)
    kept_out = torch.zeros(len(present), dtype=torch.bool)
    kept_out[shuffled(len(present), seed)[:held]] = True
    return rows[~kept_out[place]], rows[kept_out[place]]


def thinned(ids: Tensor, rows: Tensor, most: int, seed: int) -> Tensor:
    """Return ``rows`` without all but ``most`` of each group ``ids [row]``, drawn by the seed."""
    drawn = shuffled(len(rows), seed)
    order = drawn[ids[rows[drawn]].argsort(stable=True)]
    _, counts = ids[rows].unique(return_counts=True)
    starts = counts.cumsum(0) - counts
    rank = torch.arange(len(rows)) - starts.repeat_interleave(counts)
    return rows[order[rank < most].sort().values]


def check_count(count: object, groups: int, what: str) -> None:
    """Refuse a number of folds that ``groups`` groups do not make."""
    if groups < 2:
        raise DataError(
            f"the number of {what} in the data is {groups}; legal: 2 or more, to test on unseen "
            f"{what}, or split=none"
        )
    if not isinstance(count, int) or isinstance(count, bool) or not 2 <= count <= groups:
        raise DataError(
            f"split.count is {count!r}; legal: 2 to {groups}, the number of {what} in the data"
        )


def numbers(count: int) -> list[str]:
    """Return the names of numbered folds."""
    return [f"{number + 1} of {count}" for number in range(count)]


def left_out(ids: Tensor, names: Sequence[str]) -> list[Fold]:
    """Return a fold for each of the groups ``ids [row]``, in their order, that tests it alone."""
    parts = LeaveOneGroupOut().split(ids, groups=ids)
    return [
        Fold(name, torch.from_numpy(train), torch.from_numpy(test))
        for name, (train, test) in zip(names, parts, strict=True)
    ]


def shuffled(count: int, seed: int) -> Tensor:
    """Return the numbers up to ``count`` in an order that follows from the seed."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))

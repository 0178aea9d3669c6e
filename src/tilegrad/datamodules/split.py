"""Protocols: which rows train and which test, so that a claim about unseen things sees none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from tilegrad.checks import positive_int
from tilegrad.datamodules.groups import Groups
from tilegrad.errors import DataError


@dataclass(frozen=True)
class Fold:
    """One training and its test: a name, and rows of each."""

    name: str
    train: Tensor
    test: Tensor


class Split(Protocol):
    """A protocol; ``together`` names the groups that validation rows are drawn by, or rows."""

    together: str

    def folds(self, groups: Groups, seed: int) -> list[Fold]:
        """Return the folds; raise ``DataError`` where the data have too few groups."""
        ...


@dataclass(frozen=True)
class UnseenLayers:
    """Each layer is tested by a model that saw no schedule of it: grouped folds."""

    count: int = 10
    together: str = "layer"

    def folds(self, groups: Groups, seed: int) -> list[Fold]:
        """Return ``count`` folds over the layers."""
        return grouped_folds(groups.layer, len(groups.layer_names), self.count, seed, "layers")


@dataclass(frozen=True)
class UnseenMachines:
    """Each hardware point is tested by a model that saw no schedule on it: grouped folds."""

    count: int = 10
    together: str = "machine"

    def folds(self, groups: Groups, seed: int) -> list[Fold]:
        """Return ``count`` folds over the machines."""
        names = groups.machine_names
        return grouped_folds(groups.machine, len(names), self.count, seed, "machines")


@dataclass(frozen=True)
class FewMachines:
    """Trained on ``train`` machines, tested on another, for every choice among ``of``.

    The machines are evenly spread in size, the smallest and the largest among them. ``train = of
    - 1`` leaves one out at a time (the poster's four to one); ``train = 1`` are all ordered pairs.
    """

    train: int = 4
    of: int = 5
    together: str = "layer"

    def folds(self, groups: Groups, seed: int) -> list[Fold]:  # noqa: ARG002
        """Return the folds, the same for every seed."""
        positive_int("split.of", self.of, least=2)
        if self.train not in (1, self.of - 1):
            raise DataError(
                f"split.train is {self.train!r} of {self.of} machines; "
                f"legal: 1 (pairs) or {self.of - 1} (all others)"
            )
        present = groups.machine.unique()
        if len(present) < self.of:
            raise DataError(
                f"split.of is {self.of} machines, the data have {len(present)}; choose fewer"
            )
        by_size = present[groups.machine_size[present].argsort(stable=True)]
        chosen = by_size[torch.linspace(0, len(present) - 1, self.of).round().long()].tolist()
        names = groups.machine_names
        folds = []
        for tested in chosen:
            others = [machine for machine in chosen if machine != tested]
            for trained in [others] if self.train > 1 else [[other] for other in others]:
                test = (groups.machine == tested).nonzero().flatten()
                train = torch.isin(groups.machine, torch.tensor(trained)).nonzero().flatten()
                source = " + ".join(names[machine] for machine in trained)
                name = f"{source} -> {names[tested]}" if self.train == 1 else names[tested]
                folds.append(Fold(name, train, test))
        return folds


@dataclass(frozen=True)
class UnseenNetworks:
    """Each network is tested by a model trained on the others."""

    together: str = "layer"

    def folds(self, groups: Groups, seed: int) -> list[Fold]:  # noqa: ARG002
        """Return a fold per network."""
        if groups.network is None or len(groups.network_names) < 2:
            raise DataError(
                "split=unseen_networks needs data that name two networks or more; "
                "choose another split, or data=gemmini_rtl"
            )
        return [
            _fold(name, groups.network == index) for index, name in enumerate(groups.network_names)
        ]


@dataclass(frozen=True)
class UnseenMappings:
    """Layers are known, mappings are not: each layer's mappings are spread over the folds.

    A mapping is tested by a model that saw it on no machine.
    """

    count: int = 10
    together: str = "mapping"

    def folds(self, groups: Groups, seed: int) -> list[Fold]:
        """Return ``count`` folds, each with its share of every layer."""
        ids = groups.mapping
        assert ids is not None
        mappings = int(ids.max()) + 1
        _check_count(self.count, mappings, "mappings")
        layer = torch.empty(mappings, dtype=torch.int64)
        layer[ids] = groups.layer
        shuffled = _shuffled(mappings, seed)
        by_layer = shuffled[layer[shuffled].argsort(stable=True)]
        fold = torch.empty_like(by_layer)
        fold[by_layer] = torch.arange(mappings) % self.count
        return _numbered(fold[ids], self.count)


@dataclass(frozen=True)
class RandomRows:
    """Any rows: a check of the machinery, no claim about anything unseen."""

    count: int = 10
    together: str = "row"

    def folds(self, groups: Groups, seed: int) -> list[Fold]:
        """Return ``count`` folds of rows."""
        rows = len(groups.layer)
        _check_count(self.count, rows, "rows")
        fold = torch.empty(rows, dtype=torch.int64)
        fold[_shuffled(rows, seed)] = torch.arange(rows) % self.count
        return _numbered(fold, self.count)


@dataclass(frozen=True)
class NoTest:
    """Nothing is tested; the run only trains on everything."""

    together: str = "layer"

    def folds(self, groups: Groups, seed: int) -> list[Fold]:  # noqa: ARG002
        """Return no fold."""
        return []


def everything(rows: int) -> Fold:
    """Return the fold that tests no rows: the others train, or are held out to stop it."""
    return Fold("refit", torch.arange(rows), torch.arange(0))


def grouped_folds(ids: Tensor, groups: int, count: int, seed: int, what: str) -> list[Fold]:
    """Return folds in which every group is tested once; ``ids [row]`` from 0 to ``groups - 1``."""
    _check_count(count, groups, what)
    fold = torch.empty(groups, dtype=torch.int64)
    fold[_shuffled(groups, seed)] = torch.arange(groups) % count
    return _numbered(fold[ids], count)


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
    kept_out[_shuffled(len(present), seed)[:held]] = True
    return rows[~kept_out[place]], rows[kept_out[place]]


def _check_count(count: object, groups: int, what: str) -> None:
    if groups < 2:
        raise DataError(
            f"the number of {what} in the data is {groups}; legal: 2 or more, to test on unseen "
            f"{what}, or split=none"
        )
    if not isinstance(count, int) or isinstance(count, bool) or not 2 <= count <= groups:
        raise DataError(
            f"split.count is {count!r}; legal: 2 to {groups}, the number of {what} in the data"
        )


def _numbered(fold: Tensor, count: int) -> list[Fold]:
    return [_fold(f"{number + 1} of {count}", fold == number) for number in range(count)]


def _fold(name: str, tested: Tensor) -> Fold:
    return Fold(name, (~tested).nonzero().flatten(), tested.nonzero().flatten())


def _shuffled(count: int, seed: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))

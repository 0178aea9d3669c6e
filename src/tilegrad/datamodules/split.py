"""Protocols: which rows train and which test, so that a claim about unseen things sees none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch

from tilegrad.checks import positive_int
from tilegrad.datamodules.folds import Fold, check_count, grouped_folds, left_out, numbers, shuffled
from tilegrad.datamodules.groups import Groups
from tilegrad.errors import DataError


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
        return grouped_folds(groups.layer, self.count, seed, "layers")


@dataclass(frozen=True)
class UnseenMachines:
    """Each hardware point is tested by a model that saw no schedule on it: grouped folds."""

    count: int = 10
    together: str = "machine"

    def folds(self, groups: Groups, seed: int) -> list[Fold]:
        """Return ``count`` folds over the machines."""
        return grouped_folds(groups.machine, self.count, seed, "machines")


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
        present = [] if groups.network is None else groups.network.unique().tolist()
        if groups.network is None or len(present) < 2:
            raise DataError(
                "split=unseen_networks needs data that name two networks or more; "
                "choose another split, or data=gemmini_rtl"
            )
        return left_out(groups.network, [groups.network_names[index] for index in present])


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
        check_count(self.count, mappings, "mappings")
        layer = torch.empty(mappings, dtype=torch.int64)
        layer[ids] = groups.layer
        drawn = shuffled(mappings, seed)
        by_layer = drawn[layer[drawn].argsort(stable=True)]
        fold = torch.empty_like(by_layer)
        fold[by_layer] = torch.arange(mappings) % self.count
        return left_out(fold[ids], numbers(self.count))


@dataclass(frozen=True)
class RandomRows:
    """Any rows: a check of the machinery, no claim about anything unseen."""

    count: int = 10
    together: str = "row"

    def folds(self, groups: Groups, seed: int) -> list[Fold]:
        """Return ``count`` folds of rows."""
        return grouped_folds(torch.arange(len(groups.layer)), self.count, seed, "rows")


@dataclass(frozen=True)
class NoTest:
    """Nothing is tested; the run only trains on everything."""

    together: str = "layer"

    def folds(self, groups: Groups, seed: int) -> list[Fold]:  # noqa: ARG002
        """Return no fold."""
        return []

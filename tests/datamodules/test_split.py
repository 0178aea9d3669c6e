"""Protocols: no group on both sides, every group tested once, the same folds for the same seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.helpers_schedules import MadeSchedules
from tilegrad.datamodules import (
    FewMachines,
    Fold,
    NoTest,
    RandomRows,
    Split,
    UnseenLayers,
    UnseenMachines,
    UnseenMappings,
    UnseenNetworks,
    everything,
)
from tilegrad.datamodules.folds import hold_out
from tilegrad.datamodules.groups import Groups, group_ids, groups_of, mapping_ids
from tilegrad.errors import ConfigError, DataError
from tilegrad.mapping import LoopNest, concatenate
from tilegrad.schedules import Schedules

SCHEDULES = MadeSchedules().load()
GROUPS = groups_of(SCHEDULES, mappings=True)
ROWS = len(SCHEDULES)

GROUPED = [
    (UnseenLayers(3), GROUPS.layer),
    (UnseenMachines(5), GROUPS.machine),
    (UnseenNetworks(), GROUPS.network),
    (UnseenMappings(4), GROUPS.mapping),
    (RandomRows(7), torch.arange(ROWS)),
]


def seen(ids: Tensor, rows: Tensor) -> set[int]:
    return set(ids[rows].tolist())


@pytest.mark.parametrize(("split", "ids"), GROUPED, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_group_is_tested_once_and_never_seen(split: Split, ids: Tensor, seed: int) -> None:
    folds = split.folds(GROUPS, seed)
    for fold in folds:
        assert not seen(ids, fold.train) & seen(ids, fold.test)
        assert sorted([*fold.train.tolist(), *fold.test.tolist()]) == list(range(ROWS))
    tested = [row for fold in folds for row in fold.test.tolist()]
    assert sorted(tested) == list(range(ROWS))
    assert len({fold.name for fold in folds}) == len(folds)


@pytest.mark.parametrize(
    ("split", "ids"), GROUPED[:1] + GROUPED[3:], ids=lambda v: type(v).__name__
)
def test_folds_are_even_and_follow_from_the_seed(split: Split, ids: Tensor) -> None:
    folds = split.folds(GROUPS, 0)
    sizes = [len(seen(ids, fold.test)) for fold in folds]
    assert max(sizes) - min(sizes) <= 1
    again = split.folds(GROUPS, 0)
    assert all(torch.equal(a.test, b.test) for a, b in zip(folds, again, strict=True))
    other = split.folds(GROUPS, 1)
    assert not all(torch.equal(a.test, b.test) for a, b in zip(folds, other, strict=True))


def test_unseen_mappings_know_every_layer() -> None:
    for fold in UnseenMappings(4).folds(GROUPS, 0):
        assert seen(GROUPS.layer, fold.train) == set(range(6))
        assert seen(GROUPS.layer, fold.test) == set(range(6))


def test_mappings_are_equal_where_their_loops_are() -> None:
    """The made schedules repeat each layer's mappings on every machine."""
    ids = GROUPS.mapping
    assert ids is not None
    by_machine = ids.reshape(6, 5, 4)
    assert (by_machine == by_machine[:, :1]).all()
    assert len(ids.unique()) == 6 * 4


def test_mappings_differ_where_an_order_matters() -> None:
    """Orders of loops that do not iterate are none; two that do make another mapping."""
    nests = SCHEDULES.nests
    order = nests.order.clone()
    outer = order[:, -1, -2:].flip(-1)
    order[:, -1, -2:] = outer
    other = replace(SCHEDULES, nests=LoopNest(nests.temporal, nests.spatial, order))
    together = joined(SCHEDULES, other)
    before, after = mapping_ids(together).chunk(2)
    iterates = nests.temporal[:, -1].gather(-1, outer) > 1
    assert torch.equal(before != after, iterates.all(-1))
    assert iterates.all(-1).any()
    assert not iterates.all(-1).all()


def joined(first: Schedules, second: Schedules) -> Schedules:
    """Return the rows of both, of which mappings and layers alone count."""
    nests = concatenate([first.nests, second.nests])
    return replace(first[torch.arange(len(first)).repeat(2)], nests=nests)


@pytest.mark.parametrize("of", [2, 3, 5])
def test_few_machines_hold_the_extremes(of: int) -> None:
    size = torch.stack([v.log() for v in SCHEDULES.hardware.values()]).sum(0)
    smallest, largest = (int(SCHEDULES.machine[place]) for place in (size.argmin(), size.argmax()))
    folds = FewMachines(train=of - 1, of=of).folds(GROUPS, 0)
    tested = [seen(GROUPS.machine, fold.test) for fold in folds]
    assert all(len(machines) == 1 for machines in tested)
    assert {smallest, largest} <= set.union(*tested)
    assert len(set.union(*tested)) == of
    for fold, machines in zip(folds, tested, strict=True):
        assert seen(GROUPS.machine, fold.train) == set.union(*tested) - machines


def test_pairs_of_machines_are_all_ordered_pairs() -> None:
    folds = FewMachines(train=1, of=3).folds(GROUPS, 0)
    pairs = {(*seen(GROUPS.machine, f.train), *seen(GROUPS.machine, f.test)) for f in folds}
    assert len(pairs) == len(folds) == 3 * 2
    names = {fold.name for fold in folds}
    assert "machine0 -> machine4" in names


def test_nothing_is_tested_where_asked() -> None:
    assert NoTest().folds(GROUPS, 0) == []
    fold = everything(5)
    assert (fold.train.tolist(), fold.test.tolist()) == ([0, 1, 2, 3, 4], [])


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (UnseenLayers(7), "split.count is 7; legal: 2 to 6, the number of layers"),
        (UnseenLayers(0), "split.count is 0"),
        (UnseenMachines(1), "split.count is 1; legal: 2 to 5, the number of machines"),
        (UnseenMappings("x"), "split.count is 'x'; legal: 2 to 24, the number of mappings"),  # type: ignore[arg-type]
        (RandomRows(121), "split.count is 121; legal: 2 to 120, the number of rows"),
        (FewMachines(train=4, of=9), "split.train is 4 of 9 machines"),
        (FewMachines(train=8, of=9), "split.of is 9 machines, the data have 5"),
        (FewMachines(train="x"), "split.train is 'x' of 5"),  # type: ignore[arg-type]
        (FewMachines(train=1, of=1), "split.of is 1"),
    ],
    ids=str,
)
def test_too_few_groups_are_refused(split: Any, message: str) -> None:
    with pytest.raises((DataError, ConfigError), match=message):
        split.folds(GROUPS, 0)


def test_a_single_group_cannot_be_left_out() -> None:
    alone = groups_of(MadeSchedules(machines=1, networks=False).load(), mappings=False)
    with pytest.raises(DataError, match="the number of machines in the data is 1"):
        UnseenMachines(2).folds(alone, 0)
    with pytest.raises(DataError, match="two networks or more"):
        UnseenNetworks().folds(alone, 0)


@pytest.mark.parametrize("what", ["layer", "machine", "mapping", "row"])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.99])
def test_held_out_groups_are_not_trained_on(what: str, share: float) -> None:
    ids = group_ids(GROUPS, what)
    rows = torch.arange(0, ROWS, 2)
    train, held = hold_out(ids, rows, share, seed=0)
    assert not seen(ids, train) & seen(ids, held)
    assert sorted([*train.tolist(), *held.tolist()]) == rows.tolist()
    groups = len(ids[rows].unique())
    assert len(seen(ids, held)) == min(max(1, round(share * groups)), groups - 1)


def test_rows_of_a_single_group_are_parted() -> None:
    train, held = hold_out(torch.zeros(10), torch.arange(10), 0.2, seed=0)
    assert (len(train), len(held)) == (8, 2)
    with pytest.raises(DataError, match="1 rows are left to train on"):
        hold_out(torch.zeros(10), torch.arange(1), 0.2, seed=0)


def test_nothing_is_held_out_where_no_share_is_asked_for() -> None:
    rows = torch.arange(10)
    train, held = hold_out(rows // 2, rows, 0.0, seed=0)
    assert torch.equal(train, rows)
    assert len(held) == 0


def test_machines_and_networks_without_a_row_are_no_fold() -> None:
    few = groups_of(SCHEDULES[SCHEDULES.machine != 2], mappings=False)
    assert all(len(fold.test) for fold in UnseenMachines(4).folds(few, 0))
    with pytest.raises(DataError, match=r"split\.count is 5; legal: 2 to 4"):
        UnseenMachines(5).folds(few, 0)
    assert SCHEDULES.network is not None
    alone = groups_of(SCHEDULES[SCHEDULES.network == 1], mappings=False)
    with pytest.raises(DataError, match="two networks or more"):
        UnseenNetworks().folds(alone, 0)


def test_machines_without_a_row_are_not_chosen() -> None:
    few: Groups = groups_of(SCHEDULES[SCHEDULES.machine != 2], mappings=False)
    folds: list[Fold] = FewMachines(train=3, of=4).folds(few, 0)
    assert 2 not in {machine for fold in folds for machine in seen(few.machine, fold.test)}

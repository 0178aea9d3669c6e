"""The published tables as schedules: ids, names, targets, repeated rows, wrong accelerators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch

from tilegrad.accelerator import load_accelerator
from tilegrad.dims import DIMS, STRIDES
from tilegrad.errors import DataError
from tilegrad.mapping.shorthand import format_shorthand
from tilegrad.schedules import PublishedTable, Schedules

NETWORKS = ("resnext50_32x4d", "deepbench", "alexnet", "vgg16", "matmul", "dlrm", "even_kernels")
LAYER = [f"prob.{name}" for name in (*DIMS, *STRIDES)]
HARDWARE = ["arch.meshX", "arch.mem1_depth", "arch.mem2_depth"]
INPUTS = [*HARDWARE, *LAYER, "mapping.mapping"]


@pytest.fixture(scope="module")
def load(published: Callable[[str], Path]) -> Iterator[Callable[..., Schedules]]:
    """Return a function that loads a published table from the directory of published data."""
    directory = published("dosa/firesim_training.csv").parents[1]
    loaded: dict[tuple[object, ...], Schedules] = {}

    def load_table(name: str, **options: bool) -> Schedules:
        key = (name, *options.items())
        if key not in loaded:
            source = PublishedTable(name, load_accelerator("gemmini"), NETWORKS, **options)
            loaded[key] = source.load()
        return loaded[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TILEGRAD_DATA", str(directory))
        yield load_table


def test_timeloop_table_agrees_with_a_plain_reading(
    load: Callable[..., Schedules], published: Callable[[str], Path]
) -> None:
    plain = pd.read_csv(published("dosa/timeloop_dataset.csv.tar.gz"))
    found = load("timeloop_dosa", duplicates=True)
    assert len(found) == len(plain) == 72_700
    assert found.targets["latency"].tolist() == plain["target.cycle"].tolist()
    assert found.targets["energy"].tolist() == plain["target.energy"].tolist()
    torch.testing.assert_close(
        found.targets["edp"], found.targets["latency"] * found.targets["energy"], rtol=1e-5, atol=0
    )
    assert found.hardware["pe_dim"].tolist() == plain["arch.meshX"].tolist()
    accumulator = plain["arch.mem1_depth"] * 4 * plain["arch.meshX"] / 1024
    assert found.hardware["accumulator_kb"].tolist() == accumulator.tolist()
    assert found.bounds.tolist() == plain[LAYER[: len(DIMS)]].to_numpy(float).tolist()
    assert found.strides.tolist() == plain[LAYER[len(DIMS) :]].to_numpy(float).tolist()
    for row in range(0, len(plain), 1009):
        written = format_shorthand(found.nests[row], found.accelerator)
        assert written.split() == plain["mapping.mapping"][row].split()


def test_ids_are_those_of_a_plain_grouping(
    load: Callable[..., Schedules], published: Callable[[str], Path]
) -> None:
    plain = pd.read_csv(published("dosa/timeloop_dataset.csv.tar.gz"))
    found = load("timeloop_dosa", duplicates=True)
    for ids, names, columns in (
        (found.layer, found.layer_names, LAYER),
        (found.machine, found.machine_names, HARDWARE),
    ):
        assert ids.tolist() == plain.groupby(columns, sort=False).ngroup().tolist()
        assert len(set(names)) == len(names) == int(ids.max()) + 1
    assert (len(found.layer_names), len(found.machine_names)) == (71, 95)


def test_repeated_rows_are_left_out_and_counted(
    load: Callable[..., Schedules], published: Callable[[str], Path]
) -> None:
    plain = pd.read_csv(published("dosa/timeloop_dataset.csv.tar.gz"))
    distinct = plain.drop_duplicates(INPUTS)
    found = load("timeloop_dosa")
    assert found.targets["energy"].tolist() == distinct["target.energy"].tolist()
    (finding,) = found.findings
    assert finding.left_out
    assert finding.rows == len(plain) - len(distinct) == 5_522
    assert finding.first == f"row {plain.duplicated(INPUTS).argmax() + 1}"


def test_rtl_table_is_of_the_measured_machine(load: Callable[..., Schedules]) -> None:
    found = load("gemmini_rtl")
    assert len(found) == 1_567
    assert len(found.layer_names) == 66
    assert set(found.machine_names) == {
        f"pe_dim={array}, scratchpad_kb=128, accumulator_kb=32" for array in (4, 8, 16, 32, 64)
    }
    assert set(found.targets) == {"latency"}
    assert found.network is not None
    assert set(found.network_names) == set(NETWORKS)
    rows = dict(zip(found.network_names, found.network.bincount().tolist(), strict=True))
    assert rows["resnext50_32x4d"] == 611
    assert rows["dlrm"] == 185


def test_rtl_rows_are_no_faster_than_their_array(load: Callable[..., Schedules]) -> None:
    found = load("gemmini_rtl")
    assert torch.equal(found.nests.bounds(), found.bounds)
    macs = found.bounds.prod(-1)
    bound = macs / found.hardware["pe_dim"] ** 2
    assert (found.targets["latency"] > bound).all()
    # Not so on an array of 16 x 16.
    assert (found.targets["latency"] < macs / 16**2).sum() == 22


def test_selected_rows_keep_ids_and_names(load: Callable[..., Schedules]) -> None:
    found = load("gemmini_rtl")
    places = torch.tensor([1566, 3, 700])
    chosen = found[places]
    assert len(chosen) == 3
    assert chosen.layer.tolist() == [found.layer[place].item() for place in places.tolist()]
    assert torch.equal(chosen.nests.temporal, found.nests.temporal[places])
    assert chosen.layer_names == found.layer_names
    masked = found[found.layer == 5]
    assert set(masked.layer.tolist()) == {5}
    assert len(masked) == int((found.layer == 5).sum())


def test_unknown_names_are_refused() -> None:
    gemmini = load_accelerator("gemmini")
    with pytest.raises(DataError, match=r"gemini_rtl.*legal: timeloop_dosa, gemmini_rtl; nearest"):
        PublishedTable("gemini_rtl", gemmini)
    with pytest.raises(DataError, match=r"source.networks: unknown network 'vgg'.*nearest: vgg16"):
        PublishedTable("gemmini_rtl", gemmini, ["vgg"])
    with pytest.raises(DataError, match=r"parameter '\w+', which accelerator simba lacks"):
        PublishedTable("gemmini_rtl", load_accelerator("simba"))


def test_table_of_another_accelerator_is_refused(load: Callable[..., Schedules]) -> None:
    load("gemmini_rtl")
    with pytest.raises(DataError, match=r"row 1, .*72,700 of 72,700 rows are refused"):
        PublishedTable("timeloop_dosa", load_accelerator("simba")).load()

"""The published tables as schedules: ids, names, targets, repeated rows, wrong accelerators."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd
import pytest
import torch

from tests.helpers_published import Table, data_directory
from tilegrad.accelerator import load_accelerator
from tilegrad.errors import DataError
from tilegrad.mapping.shorthand import format_shorthand
from tilegrad.schedules import PublishedTable, Schedules
from tilegrad.shape.conv import DIMS, STRIDES

NETWORKS = ("resnext50_32x4d", "deepbench", "alexnet", "vgg16", "matmul", "dlrm", "even_kernels")
LAYER = [f"prob.{name}" for name in (*DIMS, *STRIDES)]
HARDWARE = ["arch.meshX", "arch.mem1_depth", "arch.mem2_depth"]
INPUTS = [*HARDWARE, *LAYER, "mapping.mapping"]


@pytest.fixture(scope="module")
def load(timeloop_rows: Table, rtl_rows: Table) -> Iterator[Callable[..., Schedules]]:
    """Return a function that loads a published table: by its name where it is whole."""
    tables = {"timeloop_dosa": timeloop_rows, "gemmini_rtl": rtl_rows}
    loaded: dict[tuple[object, ...], Schedules] = {}

    def load_table(name: str, **options: bool) -> Schedules:
        key = (name, *options.items())
        if key not in loaded:
            path = None if tables[name].whole else str(tables[name].path)
            source = PublishedTable(
                name, load_accelerator("gemmini"), NETWORKS, path=path, **options
            )
            loaded[key] = source.load()
        return loaded[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TILEGRAD_DATA", str(data_directory()))
        yield load_table


@pytest.fixture(scope="module")
def plain(timeloop_rows: Table) -> pd.DataFrame:
    return pd.read_csv(timeloop_rows.path)


def test_timeloop_table_agrees_with_a_plain_reading(
    load: Callable[..., Schedules], plain: pd.DataFrame, timeloop_rows: Table
) -> None:
    found = load("timeloop_dosa", duplicates=True)
    assert len(found) == len(plain) == timeloop_rows.figure(72_700, 374)
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
    for row in range(0, len(plain), timeloop_rows.figure(1009, 5)):
        written = format_shorthand(found.nests[row], found.accelerator)
        assert written.split() == plain["mapping.mapping"][row].split()


def test_ids_are_those_of_a_plain_grouping(
    load: Callable[..., Schedules], plain: pd.DataFrame
) -> None:
    found = load("timeloop_dosa", duplicates=True)
    for ids, names, columns in (
        (found.layer, found.layer_names, LAYER),
        (found.machine, found.machine_names, HARDWARE),
    ):
        assert ids.tolist() == plain.groupby(columns, sort=False).ngroup().tolist()
        assert len(set(names)) == len(names) == int(ids.max()) + 1
    assert (len(found.layer_names), len(found.machine_names)) == (71, 95)


def test_repeated_rows_are_left_out_and_counted(
    load: Callable[..., Schedules], plain: pd.DataFrame, timeloop_rows: Table
) -> None:
    distinct = plain.drop_duplicates(INPUTS)
    found = load("timeloop_dosa")
    assert found.targets["energy"].tolist() == distinct["target.energy"].tolist()
    (finding,) = found.findings
    assert finding.left_out
    assert finding.rows == len(plain) - len(distinct) == timeloop_rows.figure(5_522, 44)
    assert finding.first == f"row {plain.duplicated(INPUTS).argmax() + 1}"


def test_rtl_table_is_of_the_measured_machine(
    load: Callable[..., Schedules], rtl_rows: Table
) -> None:
    found = load("gemmini_rtl")
    assert len(found) == rtl_rows.figure(1_567, 330)
    assert len(found.layer_names) == 66
    assert set(found.machine_names) == {
        f"pe_dim={array}, scratchpad_kb=128, accumulator_kb=32" for array in (4, 8, 16, 32, 64)
    }
    assert set(found.targets) == {"latency"}
    assert found.network is not None
    assert set(found.network_names) == set(NETWORKS)
    rows = dict(zip(found.network_names, found.network.bincount().tolist(), strict=True))
    assert rows["resnext50_32x4d"] == rtl_rows.figure(611, 125)
    assert rows["dlrm"] == rtl_rows.figure(185, 35)


def test_rtl_rows_are_no_faster_than_their_array(
    load: Callable[..., Schedules], rtl_rows: Table
) -> None:
    found = load("gemmini_rtl")
    assert torch.equal(found.nests.bounds(), found.bounds)
    macs = found.bounds.prod(-1)
    bound = macs / found.hardware["pe_dim"] ** 2
    assert (found.targets["latency"] > bound).all()
    # Not so on an array of 16 x 16.
    assert (found.targets["latency"] < macs / 16**2).sum() == rtl_rows.figure(22, 4)


def test_selected_rows_keep_ids_and_names(load: Callable[..., Schedules]) -> None:
    found = load("gemmini_rtl")
    places = torch.tensor([len(found) - 1, 3, 200])
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


def test_table_of_another_accelerator_is_refused(timeloop_rows: Table) -> None:
    rows = timeloop_rows.figure("72,700", "374")
    source = PublishedTable(
        "timeloop_dosa", load_accelerator("simba"), path=str(timeloop_rows.path)
    )
    with pytest.raises(DataError, match=rf"row 1, .*{rows} of {rows} rows are refused"):
        source.load()

"""The counts against the instructions of Gemmini's own library, recorded call by call.

``gemmini_calls/commands.csv``: what the library's functions issued for random layers and tiles, its
own among them, compiled on a host with its instructions replaced by counters.
"""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from torch import Tensor

from tests.helpers_published import FACTS
from tilegrad.machines.gemmini.calls import CALLS, DEPTHWISE, ORDER, PRODUCT
from tilegrad.machines.gemmini.conv import conv_counts
from tilegrad.machines.gemmini.counts import PAGE, Counts
from tilegrad.machines.gemmini.matmul import matmul_counts
from tilegrad.machines.gemmini.system import System
from tilegrad.machines.gemmini.tiling import Tiling
from tilegrad.shape.conv import DIMS, C, K

CALLED = FACTS / "gemmini_calls"


@pytest.fixture(scope="module")
def calls() -> pd.DataFrame:
    return pd.read_csv(CALLED / "commands.csv")


@pytest.fixture(scope="module")
def grouped() -> pd.DataFrame:
    return pd.read_csv(CALLED / "groups.csv")


def tiling_of(calls: pd.DataFrame) -> Tiling:
    def columns(*names: str) -> Tensor:
        return torch.tensor(calls[list(names)].to_numpy(), dtype=torch.float64)

    tile, bounds = columns(*(f"tile.{dim}" for dim in DIMS)), columns(*DIMS)
    strides = columns("stride", "stride", "dilation", "dilation")
    call = torch.tensor([CALLS.index(name) for name in calls.call]).double().unsqueeze(-1)
    order = torch.tensor(ORDER).expand(len(calls), 7)
    ragged = (bounds % tile != 0).any(-1, keepdim=True).double()
    groups = columns("G") if "G" in calls else torch.ones_like(call)
    return Tiling(tile, bounds, strides, order, torch.zeros_like(call), call, ragged, groups)


def counted(calls: pd.DataFrame) -> dict[str, Tensor]:
    """Return the closed forms' counts by the names of the recorded ones."""
    tiling = tiling_of(calls)
    mesh = torch.tensor(calls.dim.to_numpy(), dtype=torch.float64)
    products: Counts = matmul_counts(tiling, mesh, System())[0]
    counts = products.where(
        torch.tensor((calls.call == PRODUCT).to_numpy()), conv_counts(tiling, mesh, System())
    )
    groups = tiling.groups[..., 0]
    c_pages, k_pages, weight_pages = (
        (pitch / PAGE).clamp(max=1)
        for pitch in (
            groups * tiling.bounds[..., C],
            groups * tiling.bounds[..., K],
            tiling.bounds[..., K],
        )
    )
    found = {name: getattr(counts, name) for name in EXACT}
    return found | {
        "input_pieces": counts.input_pages / c_pages,
        "weight_pieces": counts.weight_pages / weight_pages,
        "store_rows": counts.store_pages / k_pages,
    }


EXACT = (
    *("tiles", "input_rows", "weight_rows", "zero_rows"),
    *("computes", "preloads", "executed_rows", "stores"),
)


def test_every_call_is_counted_as_the_library_issues_it(calls: pd.DataFrame) -> None:
    assert len(calls) == 400
    check(calls)


def test_so_are_those_of_several_groups(grouped: pd.DataFrame) -> None:
    assert len(grouped) == 80
    check(grouped)
    # Depthwise ones channel by channel in one call, the library's own tiles among them.
    assert grouped.call.value_counts().min() > 15
    depthwise = grouped[grouped.call == DEPTHWISE]
    assert depthwise.auto.sum() > 15
    assert (depthwise.tiles >= depthwise.G).all()


def check(calls: pd.DataFrame) -> None:
    found = counted(calls)
    assert set(found) < set(calls.columns)
    for name, values in found.items():
        recorded = torch.tensor(calls[name].to_numpy(), dtype=torch.float64)
        torch.testing.assert_close(values, recorded, rtol=1e-9, atol=1e-6, msg=name)


def test_the_calls_are_of_all_kinds(calls: pd.DataFrame) -> None:
    ragged = tiling_of(calls).is_ragged
    convolutions = torch.tensor((calls.call != PRODUCT).to_numpy())
    assert (ragged & convolutions).sum() > 100
    assert calls.auto.sum() > 100
    assert set(calls.dim) == {4, 8, 16, 32}
    # Several pixels of few channels in a row of the array: fewer blocks of weights than taps.
    packed = calls[(calls.C <= 4) & (calls.R > 1) & (calls.dilation == 1)]
    assert (packed.preloads < packed.R * packed.S * packed.tiles).any()

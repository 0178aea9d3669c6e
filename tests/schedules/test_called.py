"""Tables that say which call of Gemmini's library ran a row, with which tile, warm or cold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from tests.helpers_published import FACTS
from tilegrad.accelerator import load_accelerator
from tilegrad.errors import DataError
from tilegrad.machines.gemmini.calls import AS_EXPORTED, CALLS, CONVOLUTION, PRODUCT
from tilegrad.schedules import Schedules, TableFile
from tilegrad.shape.conv import DIMS

GEMMINI = load_accelerator("gemmini")
MAPPING = "L3[WIO] P2 - L2[WI] N1 K16X - L1[O] C4 Q14 C16X - L0[W] P7"
ROW = {
    "mapping.mapping": MAPPING,
    "call": "",
    "library_tile": "",
    **dict(zip([f"prob.{dim}" for dim in DIMS], (1, 1, 14, 14, 64, 16, 1), strict=True)),
    **{f"prob.{name}": 1 for name in ("Wstride", "Hstride", "Wdilation", "Hdilation")},
    "pe_dim": 16,
    "scratchpad_kb": 128,
    "accumulator_kb": 32,
    "target.cycle_warm": 5000,
    "target.cycle_cold": 7000,
}


def load(path: Path, *changes: dict[str, object], warm: int = 1) -> Schedules:
    pd.DataFrame([{**ROW, **change} for change in changes]).to_csv(path / "t.csv", index=False)
    accelerator = replace(GEMMINI, machine={"warm": warm})
    return TableFile(str(path / "t.csv"), accelerator).load()


def call_of(found: Schedules, row: int) -> tuple[str, dict[str, int]]:
    assert found.calls is not None
    call, *tile = found.calls[row].long().tolist()
    return CALLS[call], dict(zip(DIMS, tile, strict=True))


def test_calls_and_tiles_are_read_and_kept(tmp_path: Path) -> None:
    convolution = "batches=1 orows=5 ocols=14 ochs=16 krows=1 kcols=1 kchs=48"
    changes = (
        {},
        {"call": PRODUCT},
        {"call": CONVOLUTION, "library_tile": convolution, "mapping.mapping": ""},
        {"library_tile": "tile_I=3 tile_J=4 tile_K=3", "mapping.mapping": ""},
    )
    for _ in range(2):  # As parsed, then out of the cache.
        found = load(tmp_path, *changes)
        assert [call_of(found, row)[0] for row in range(4)] == [
            AS_EXPORTED,
            PRODUCT,
            CONVOLUTION,
            PRODUCT,
        ]
        assert set(call_of(found, 1)[1].values()) == {0}
        assert call_of(found, 2)[1] == dict(R=1, S=1, P=14, Q=5, C=48, K=16, N=1)
        # 48 pixels in a row, all 16 filters, 48 of 64 channels.
        assert call_of(found, 3)[1] == dict(R=1, S=1, P=48, Q=1, C=48, K=16, N=1)
        # Three tiles of five rows cover fourteen, and two of 48 channels 64.
        assert found.nests[2].temporal[-1].tolist() == [1, 1, 1, 3, 2, 1, 1]
        assert found.nests[2].bounds().tolist() == [1, 1, 14, 15, 96, 16, 1]
        assert found.nests[3].bounds().tolist()[2:4] == [14, 15]


@pytest.mark.parametrize(("warm", "cycles"), [(1, 5000.0), (0, 7000.0)])
def test_the_machine_says_whether_programs_are_warm(
    tmp_path: Path, warm: int, cycles: float
) -> None:
    assert load(tmp_path, {}, warm=warm).targets["latency"].tolist() == [cycles]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"call": "loop_ws"}, r"row 1, column call: 'loop_ws' \(legal: tiled_conv, tiled_matmul"),
        ({"call": "tiled_conv_auto"}, "hold their search for a tile"),
        ({"call": PRODUCT, "prob.Wstride": 2}, "no matrix product"),
        ({"prob.G": 4}, r"column prob.G: 4(\.0)? groups \(legal: 1, or nothing"),
        ({"library_tile": "batches=1 orows=1 ocols=1 krows=1 kcols=1"}, "legal: as tile_I=1"),
        ({"library_tile": "tile_I=3 tile_J=4"}, "column library_tile: .*legal: as tile_I=1"),
        ({"call": CONVOLUTION, "library_tile": "tile_I=1 tile_J=1 tile_K=1"}, "as batches=1"),
    ],
)
def test_illegal_calls_are_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(tmp_path, change)


def test_rows_of_other_calls_repeat_nothing(tmp_path: Path) -> None:
    assert len(load(tmp_path, {}, {"call": CONVOLUTION}, {})) == 2


def test_the_packaged_table_is_what_was_measured() -> None:
    raw = pd.read_csv(FACTS / "gemmini_verilator" / "measured.csv")
    # The automatic calls search for a tile; programs of one tile ran once.
    raw = raw[~raw.variant.isin(["A", "AM"])].drop_duplicates(["layer", "file"])
    found = TableFile.packaged("gemmini_verilator", GEMMINI).load()
    assert found.targets["latency"].tolist() == raw.warm_cycles.tolist()
    columns = [f"prob.{dim}" for dim in DIMS]
    assert torch.equal(found.bounds, torch.tensor(raw[columns].to_numpy()).double())
    tiles = raw.library_tile.fillna("")
    for row, tile in enumerate(tiles):
        call, extents = call_of(found, row)
        if tile:
            assert call == (PRODUCT if "tile_I" in tile else CONVOLUTION)
            assert min(extents.values()) >= 1
        else:
            # What ran a mapping's tile: a product where its blocks are whole and pixels in a line.
            inside = found.nests[row].temporal[:-1].prod(0) * found.nests[row].spatial.prod(0).prod(
                0
            )
            r, s, p, q, *_ = found.bounds[row].tolist()
            sizes = (inside[2] * inside[3] * inside[6], inside[4], inside[5])
            product = r == s == 1 and 1 in (p, q) and all(size % 16 == 0 for size in sizes)
            assert (call == PRODUCT) == product


def test_an_unknown_packaged_table_is_refused() -> None:
    with pytest.raises(DataError, match="gemmini_verilator"):
        TableFile.packaged("gemini_verilator", GEMMINI)

"""The tiles that Gemmini's own library chose, as it ran: the tiler chooses the same."""

from __future__ import annotations

from collections.abc import Mapping as Row
from typing import Any

import pandas as pd
import pytest

from tests.helpers import is_product
from tests.helpers_published import FACTS
from tilegrad.machines.gemmini.generator import generator
from tilegrad.shape.conv import DIMS, STRIDES
from tilegrad.targets.gemmini.tiler import library_blocks, library_tile
from tilegrad.workload import Problem

MACHINE = generator({"pe_dim": 16, "scratchpad_kb": 128, "accumulator_kb": 32})
EXTENTS = {
    "batches": "N",
    "orows": "Q",
    "ocols": "P",
    "ochs": "K",
    "krows": "S",
    "kcols": "R",
    "kchs": "C",
}


@pytest.fixture(scope="module")
def measured() -> pd.DataFrame:
    return pd.read_csv(FACTS / "gemmini_verilator" / "measured.csv")


def problem_of(row: Row[str, Any]) -> Problem:
    bounds, strides = (tuple(int(row[f"prob.{n}"]) for n in names) for names in (DIMS, STRIDES))
    return Problem(str(row["layer"]), bounds, strides)  # type: ignore[arg-type]


def chosen_tile(problem: Problem, product: bool) -> dict[str, int]:
    if product:
        rows, filters, channels = library_blocks(problem, MACHINE)
        return {"tile_I": rows, "tile_J": filters, "tile_K": channels}
    found = library_tile(problem, MACHINE)
    return {name: found[dim] for name, dim in EXTENTS.items()}


def test_the_library_chose_these_tiles(measured: pd.DataFrame) -> None:
    compared = {"products": 0, "convolutions": 0}
    chosen = measured[measured.library_tile.notna()].drop_duplicates(["layer", "library_tile"])
    for row in chosen.to_dict("records"):
        problem = problem_of(row)
        parts = (part.split("=") for part in row["library_tile"].split())
        tile = {name: int(size) for name, size in parts}
        product = "tile_I" in tile
        # Some layers ran as both.
        if product == is_product(problem):
            assert tile == chosen_tile(problem, product), row["layer"]
            compared["products" if product else "convolutions"] += 1
    assert compared == {"products": 21, "convolutions": 11}


def test_nothing_ran_faster_than_the_array_computes(measured: pd.DataFrame) -> None:
    macs = measured[[f"prob.{dim}" for dim in DIMS]].prod(axis=1)
    assert (measured.warm_cycles >= macs / MACHINE.dim**2).all()
    assert set(measured.check) == {"ok"}

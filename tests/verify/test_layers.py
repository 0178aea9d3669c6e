"""What is proven of hardware without free sizes, layer by layer, checked by enumeration."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tilegrad
from tests.verify.test_verify import change, forged, numbers
from tilegrad.accelerator import load_accelerator
from tilegrad.errors import DataError
from tilegrad.verify import verify
from tilegrad.verify.layers import EveryMapping
from tilegrad.workload import Problem

TABLE = "name,R,S,P,Q,C,K\nlinear,1,1,2,1,3,2\nlarge,1,1,48,1,96,64\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of an exact search: of one layer that is enumerated, and a large one."""
    there = tmp_path_factory.mktemp("layers")
    (there / "two.csv").write_text(TABLE)
    tilegrad.search(
        there / "two.csv",
        accelerator="nvdla_large",
        strategy="exact",
        report=False,
        dir=there / "run",
    )
    return there / "run"


def test_what_is_checked_is_told(run: Path) -> None:
    verdict = verify(run)
    assert verdict.gap is not None
    assert (verdict.checked, verdict.cells, verdict.parts) == (1, 2, "layers")
    assert "1 of 2 layers recomputed" in str(verdict)
    assert {verify(run, sample=1, seed=seed).checked for seed in (0, 2)} == {0, 1}


@pytest.mark.parametrize(
    "hardware", [{"accelerator": "eyeriss"}, {"accelerator": "gemmini", "hardware": "default"}]
)
def test_small_layers_on_given_hardware_are_all_enumerated(
    hardware: dict[str, str], tmp_path: Path
) -> None:
    """Dims share a mesh of Eyeriss: their widest spreads together are none of the mappings."""
    (tmp_path / "tiny.csv").write_text("name,R,S,P,Q,C,K\ntiny,1,1,7,5,3,1\n")
    there = tmp_path / "run"
    tilegrad.search(tmp_path / "tiny.csv", **hardware, strategy="exact", report=False, dir=there)
    assert "proven" in str(verify(there))


@pytest.mark.parametrize("name", ["result.json", "certificate.json"])
def test_every_changed_number_is_noticed(name: str, run: Path, tmp_path: Path) -> None:
    there = shutil.copytree(run, tmp_path / "run")
    text = (run / name).read_text()
    places = list(numbers(json.loads(text)))
    assert len(places) > 15
    for place in places:
        content = json.loads(text)
        change(content, place, lambda number: number * 1.01 + 1)
        (there / name).write_text(json.dumps(content, indent=2))
        with pytest.raises(DataError):
            verify(there, sample=1)


def lines(content: dict[str, Any]) -> list[list[float]]:
    """Return the values of a certificate's lines, ``[price][layer]``."""
    found: list[list[float]] = content["cells"][0]["shown"][0]["networks"][0]["values"]
    return found


def test_a_raised_line_with_its_digest_is_noticed(run: Path, tmp_path: Path) -> None:
    prices = len(lines(json.loads((run / "certificate.json").read_text())))
    assert prices > 2
    for price in (1, prices - 1):

        def raise_line(content: dict[str, Any], price: int = price) -> None:
            lines(content)[price][0] *= 100

        with pytest.raises(DataError, match="has a mapping of"):
            verify(forged(run, tmp_path / str(price), raise_line))


def test_lines_of_a_large_layer_stay_below_the_design(run: Path, tmp_path: Path) -> None:
    def raise_line(content: dict[str, Any]) -> None:
        lines(content)[1][1] *= 3

    with pytest.raises(DataError, match="layer 'large' has a mapping of"):
        verify(forged(run, tmp_path / "forged", raise_line))


def test_another_bound_or_hardware_with_its_digest_is_noticed(run: Path, tmp_path: Path) -> None:
    def raise_bound(content: dict[str, Any]) -> None:
        content["cells"][0]["bound"] *= 1.001

    def double(content: dict[str, Any]) -> None:
        content["cells"] *= 2

    def invent(content: dict[str, Any]) -> None:
        for line in lines(content):
            line.append(0.0)

    for name, forge, told in (
        ("bound", raise_bound, "its lines make"),
        ("cells", double, "has 2, of hardware without free sizes"),
        ("layers", invent, "has 3 layers of 2"),
    ):
        with pytest.raises(DataError, match=told):
            verify(forged(run, tmp_path / name, forge))


def test_enumerated_mappings_are_all_of_the_mapspace() -> None:
    """Against counting by hand: a dim of prime bound lies at one of its places, 1 + its slots."""
    accelerator = load_accelerator("nvdla_large")
    layer = Problem("prime", (1, 1, 3, 1, 5, 1, 1))
    every = EveryMapping(accelerator, layer, {})
    rows = {len(found[0]) for found in every.factors()[0]}
    places = [len(slots) + 1 for slots in every.slots]
    assert rows == {places[2] * places[4]}
    assert every.count == places[2] * places[4] * len(every.orders)
    temporal, spatial = every.factors()
    covered = [
        np.prod([level[dim] for level in temporal], axis=0)
        * np.prod([axis[dim] for level in spatial for axis in level], axis=0)
        for dim in range(7)
    ]
    assert all((found == bound).all() for found, bound in zip(covered, layer.bounds, strict=True))


def test_a_proof_beside_another_strategy_is_checked_too(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("name,R,S,P,Q,C,K\nlast,1,1,6,1,8,4\n")

    def search(bound: str) -> None:
        tilegrad.search(
            tmp_path / "one.csv",
            strategy="random",
            overrides=("strategy.designs=200", "caps.pe_dim=4", f"bound={bound}"),
            report=False,
            dir=tmp_path / "run",
        )

    search("none")
    assert verify(tmp_path / "run").gap is None
    search("full")
    assert str(verify(tmp_path / "run")).startswith("proven: at most")
    (tmp_path / "run" / "certificate.json").unlink()
    stated = verify(tmp_path / "run")
    assert stated.gap is None
    assert "though it states" in str(stated)
    record = json.loads((tmp_path / "run" / "result.json").read_text())
    for name in ("gap", "bound"):
        changed = {**record, name: record[name] * 1.01 + 1e-3}
        (tmp_path / "run" / "result.json").write_text(json.dumps(changed))
        with pytest.raises(DataError, match="gap is"):
            verify(tmp_path / "run")

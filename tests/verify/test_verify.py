"""``tilegrad verify``: what is proven holds, and whatever number is changed is noticed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

import tilegrad
from tilegrad.accelerator import load_accelerator
from tilegrad.cli import main
from tilegrad.cost import layer_cost
from tilegrad.errors import DataError
from tilegrad.mapping.sampling import Sampler
from tilegrad.nest import analyse
from tilegrad.verify import verify
from tilegrad.verify.costs import Counts
from tilegrad.verify.counts import Nests
from tilegrad.workload import Problem

TABLE = "name,R,S,P,Q,C,K,Wstride,Hstride\nconv,3,1,28,7,8,24,2,1\nlast,1,1,48,1,32,40,1,1\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of an exact search of two small layers."""
    there = tmp_path_factory.mktemp("verify")
    (there / "small.csv").write_text(TABLE)
    tilegrad.search(
        there / "small.csv",
        strategy="exact",
        overrides=("strategy.gap=0.0001", "caps.pe_dim=8"),
        report=False,
        dir=there / "run",
    )
    return there / "run"


def test_a_proven_run_is_proven(run: Path) -> None:
    verdict = verify(run)
    assert verdict.gap is not None
    assert 0 <= verdict.gap <= 0.0001
    assert str(verdict).startswith("proven: at most")
    assert str(verify(run, sample=1)).startswith("gap <=")
    assert verdict.cells > 2


def numbers(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the places of all numbers in decoded JSON."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from numbers(part, (*place, key))
    elif isinstance(value, list):
        for key, part in enumerate(value):
            yield from numbers(part, (*place, key))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield place


def change(content: Any, place: tuple[Any, ...], made: Callable[[Any], Any]) -> None:
    for key in place[:-1]:
        content = content[key]
    content[place[-1]] = made(content[place[-1]])


@pytest.mark.parametrize("name", ["result.json", "certificate.json"])
def test_every_changed_number_is_noticed(name: str, run: Path, tmp_path: Path) -> None:
    there = shutil.copytree(run, tmp_path / "run")
    text = (run / name).read_text()
    places = list(numbers(json.loads(text)))
    assert len(places) > 40
    for place in places:
        content = json.loads(text)
        change(content, place, lambda number: number * 1.01 + 1)
        (there / name).write_text(json.dumps(content, indent=2))
        with pytest.raises(DataError):
            verify(there, sample=1)


def forged(run: Path, there: Path, change_it: Callable[[dict[str, Any]], None]) -> Path:
    """Return a copy of a run whose certificate was changed, its digest with it."""
    shutil.copytree(run, there)
    content = json.loads((run / "certificate.json").read_text())
    del content["digest"]
    change_it(content)
    text = json.dumps(content, sort_keys=True).encode()
    content["digest"] = sha256(text).hexdigest()
    (there / "certificate.json").write_text(json.dumps(content))
    return there


def cells_with_bounds(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in content["cells"] if cell["bound"] is not None]


def test_a_higher_bound_with_its_digest_is_noticed(run: Path, tmp_path: Path) -> None:
    def raise_bounds(content: dict[str, Any]) -> None:
        for cell in cells_with_bounds(content):
            cell["bound"] *= 1.001

    with pytest.raises(DataError, match=r"its lines make"):
        verify(forged(run, tmp_path / "forged", raise_bounds))


@pytest.mark.parametrize("seed", [0, 1, *[pytest.param(s, marks=pytest.mark.slow) for s in (2, 3)]])
def test_a_raised_line_with_its_digest_is_noticed(seed: int, run: Path, tmp_path: Path) -> None:
    def raise_line(content: dict[str, Any]) -> None:
        drawn = Random(seed)
        shown = drawn.choice(drawn.choice(cells_with_bounds(content))["shown"])
        lines = drawn.choice(shown["networks"])
        least = drawn.choice(lines["values"])
        least[drawn.randrange(len(least))] *= 1.001

    with pytest.raises(DataError, match="has mappings of"):
        verify(forged(run, tmp_path / "forged", raise_line))


@pytest.mark.parametrize("number", [0, -1])
def test_a_cell_that_is_missing_is_noticed(number: int, run: Path, tmp_path: Path) -> None:
    def remove(content: dict[str, Any]) -> None:
        del content["cells"][number]

    with pytest.raises(DataError, match="cells: none"):
        verify(forged(run, tmp_path / "forged", remove))


def test_a_run_without_certificate_proves_nothing(run: Path, tmp_path: Path) -> None:
    there = shutil.copytree(run, tmp_path / "run")
    (there / "certificate.json").unlink()
    assert "nothing is proven" in str(verify(there))


LAYERS = (
    Problem("conv", (3, 2, 6, 4, 4, 6, 2), (2, 1, 1, 3)),
    Problem("linear", (1, 1, 12, 1, 10, 8, 1)),
)


@pytest.mark.parametrize("name", ["gemmini", "nvdla_small"])
def test_walks_agree_with_the_analysis(name: str) -> None:
    """On random mappings, to the last access: two codes that share nothing."""
    accelerator = load_accelerator(name)
    sizes = accelerator.defaults
    for layer in LAYERS:
        nests = Sampler(accelerator, layer, sizes).draw(12, torch.Generator().manual_seed(3))
        strides = torch.tensor(layer.strides, dtype=torch.float64)
        cost = layer_cost(analyse(nests, strides, accelerator), accelerator, sizes)
        for row in range(12):
            found = Counts.of(_rows(nests, row, layer, accelerator))
            energy = sum(float(part[0]) for part in found.energies(sizes))
            assert energy == pytest.approx(float(cost.energy_pj.expand(12)[row]), rel=1e-12)
            cycles = max(float(part[0]) for part in found.cycles(sizes))
            assert cycles == float(cost.cycles.expand(12)[row])


def _rows(nests: Any, row: int, layer: Problem, accelerator: Any) -> Nests:
    from tilegrad.verify.design import nests_of

    class Named:
        problem = layer

    return nests_of(nests[row], Named(), accelerator)  # type: ignore[arg-type]


def test_as_many_cells_are_recomputed_as_time_is_given_for(run: Path) -> None:
    told: list[tuple[float, float, str]] = []
    verdict = verify(run, most=1e-9, observe=lambda *each: told.append(each))
    assert verdict.checked == 1 < verdict.cells
    assert str(verdict).endswith("the sums of all; all of them, by --all, take about 1 s")
    assert {what for _, _, what in told} == {f"1 of {verdict.cells} cells"}
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert told[-1][0] == told[-1][1] > 0


def test_cells_to_draw_and_all_of_them_exclude_each_other(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(run), "--sample", "1", "--all"]) == 2
    assert "legal: one of them" in capsys.readouterr().err
    assert main(["verify", str(run)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("proven: at most")
    assert re.match(r"recomputing \d+ of \d+ cells: about \d+ s of one core", err)

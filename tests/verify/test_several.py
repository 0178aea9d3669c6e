"""What is proven of several networks, and under caps, is checked as a single network's is."""

from __future__ import annotations

import json
import shutil
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import tilegrad
from tests.verify.test_verify import change, forged, numbers
from tilegrad.errors import DataError
from tilegrad.verify import verify
from tilegrad.verify.choices import is_any_below
from tilegrad.verify.goal import Goal

HEAD = "name,R,S,P,Q,C,K\n"
ONE, OTHER = "linear,1,1,6,1,4,6\n", "conv,3,1,4,1,2,4\n"
SMALL = ("strategy.gap=0.001", "caps.pe_dim=4")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    there = tmp_path_factory.mktemp("several")
    (there / "one.csv").write_text(HEAD + ONE)
    (there / "other.csv").write_text(HEAD + OTHER)
    (there / "both.csv").write_text(HEAD + ONE + OTHER)
    return there


@pytest.fixture(scope="module")
def several(files: Path) -> Path:
    """Return the directory of two networks' search."""
    tilegrad.search(
        [files / "one.csv", files / "other.csv"],
        strategy="exact",
        overrides=(*SMALL, "workload.rule=worst", "workload.weights.other=0.9"),
        report=False,
        dir=files / "several",
    )
    return files / "several"


@pytest.fixture(scope="module")
def capped(files: Path) -> Path:
    """Return the directory of a search under caps that bind."""
    settings = {"strategy": "exact", "report": False}
    free = tilegrad.search(files / "both.csv", overrides=SMALL, **settings).result
    power = float(free.energy_uj) / float(free.cycles) * 1e3
    tilegrad.search(
        files / "both.csv",
        overrides=(*SMALL, f"caps.power_w={power * 0.9}", "caps.latency_ms=0.001"),
        dir=files / "capped",
        **settings,
    )
    return files / "capped"


@pytest.mark.parametrize("name", ["several", "capped"])
def test_it_is_proven(name: str, request: pytest.FixtureRequest) -> None:
    verdict = verify(request.getfixturevalue(name))
    assert str(verdict).startswith("proven: at most")
    assert verdict.gap is not None
    assert verdict.gap <= 0.001


@pytest.mark.slow
@pytest.mark.parametrize("name", ["several", "capped"])
@pytest.mark.parametrize("file", ["result.json", "certificate.json"])
def test_every_changed_number_is_noticed(
    file: str, name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    run = request.getfixturevalue(name)
    there = shutil.copytree(run, tmp_path / "run")
    text = (run / file).read_text()
    for place in numbers(json.loads(text)):
        content = json.loads(text)
        change(content, place, lambda number: number * 1.01 + 1)
        (there / file).write_text(json.dumps(content, indent=2))
        with pytest.raises(DataError):
            verify(there, sample=1)


def test_changed_figures_of_networks_are_noticed_by_themselves(
    several: Path, tmp_path: Path
) -> None:
    """Without a certificate, whose digest would tell of them."""
    there = shutil.copytree(several, tmp_path / "run")
    (there / "certificate.json").unlink()
    for key in ("edp", "energy_uj", "cycles", "price", "weight"):
        content = json.loads((several / "result.json").read_text())
        content["networks"][1][key] *= 1.01
        (there / "result.json").write_text(json.dumps(content))
        with pytest.raises(DataError, match=rf"networks\[1\].{key}"):
            verify(there)


def test_a_higher_bound_or_line_with_its_digest_is_noticed(
    several: Path, capped: Path, tmp_path: Path
) -> None:
    def raise_bounds(content: dict[str, Any]) -> None:
        for cell in content["cells"]:
            cell["bound"] = cell["bound"] and cell["bound"] * 1.01

    def raise_searched(content: dict[str, Any]) -> None:
        raise_bounds(content)
        for lines in lines_of(content):
            if lines["searched"] is not None:
                lines["searched"] *= 1.01

    def raise_lines(content: dict[str, Any]) -> None:
        for lines in lines_of(content):
            lines["values"] = [[1.01 * v for v in each] for each in lines["values"]]

    def another_rule(content: dict[str, Any]) -> None:
        content["mapspace"]["rule"] = "sum"

    for place, (run, forge, told) in enumerate(
        (
            (several, raise_bounds, "its lines make"),
            (capped, raise_bounds, "its lines make"),
            (several, raise_lines, "has mappings of"),
            (capped, raise_lines, "has mappings of"),
            (capped, raise_searched, "has designs below|its lines make"),
            (several, another_rule, "rule is 'sum'"),
        )
    ):
        with pytest.raises(DataError, match=told):
            verify(forged(run, tmp_path / str(place), forge))


def lines_of(content: dict[str, Any]) -> list[dict[str, Any]]:
    shown = [each for cell in content["cells"] for each in cell["shown"]]
    return [lines for each in shown for lines in each["networks"]]


@pytest.mark.parametrize("rate", [3.0, 0.5])
def test_choices_are_found_as_by_trying_all(rate: float) -> None:
    drawn = Random(4)
    parts = [
        np.array([[drawn.uniform(1, 9), drawn.uniform(1, 9)] for _ in range(7)]) for _ in range(4)
    ]
    goal = Goal("edp", 26.0, rate)
    every = np.array([np.sum(choice, 0) for choice in product(*parts)])
    kept = (every[:, 1] <= goal.cycles) & (every[:, 0] <= rate * every[:, 1])
    least = float((every[:, 0] * every[:, 1])[kept].min())
    known = [(price, 0.0) for price in (-rate, 0.0, 1.0, float("inf"))]
    assert is_any_below(parts, known, goal, least * (1 + 1e-6))
    assert not is_any_below(parts, known, goal, least * (1 - 1e-6))


@pytest.fixture(scope="module")
def slowed(files: Path) -> Path:
    """Return the directory of a search with a DRAM whose bandwidth is what takes longest."""
    settings = {"strategy": "exact", "report": False, "dir": files / "slowed"}
    run = tilegrad.search(files / "both.csv", overrides=(*SMALL, "caps.dram_gbs=0.5"), **settings)
    assert {layer.bottleneck for layer in run.result.layers} == {"DRAM"}
    return files / "slowed"


def test_a_cap_of_bandwidth_is_proven_and_no_number_can_be_changed(
    slowed: Path, tmp_path: Path
) -> None:
    assert str(verify(slowed)).startswith("proven: at most")
    there = shutil.copytree(slowed, tmp_path / "run")
    for name in ("result.json", "certificate.json"):
        text = (slowed / name).read_text()
        for place in numbers(json.loads(text)):
            content = json.loads(text)
            change(content, place, lambda number: number * 1.01 + 1)
            (there / name).write_text(json.dumps(content))
            with pytest.raises(DataError):
                verify(there, sample=1)
        (there / name).write_text(text)
    config = (there / "config.yaml").read_text()
    (there / "config.yaml").write_text(config.replace("dram_gbs: 0.5", "dram_gbs: 0.6"))
    with pytest.raises(DataError, match="the mappings make"):
        verify(there, sample=1)


def test_another_bandwidth_with_its_digest_is_noticed(slowed: Path, tmp_path: Path) -> None:
    def widen(content: dict[str, Any]) -> None:
        content["mapspace"]["caps"]["dram_gbs"] = 0.6

    with pytest.raises(DataError, match=r"caps is .*0\.6"):
        verify(forged(slowed, tmp_path / "forged", widen))

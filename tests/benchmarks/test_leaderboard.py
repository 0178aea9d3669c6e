"""The leaderboard: real searches of one small layer, and what its page says of them."""

from __future__ import annotations

import importlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

from tests.training.conftest import ROOT
from tilegrad.composing import composed

TABLE = "layer,R,S,P,Q,C,K\nlinear,1,1,8,8,32,64\n"

SETTINGS = {
    "random, 200": ("strategy=random", "strategy.designs=200"),
    "random, 1": ("strategy=random", "strategy.designs=1"),
}
"""Searches of an instant: the only design of the second does not fit."""


@pytest.fixture(scope="module")
def patched() -> Iterator[pytest.MonkeyPatch]:
    """Return a patch that lasts for the module: benchmarks find each other's modules by it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        yield patch


@pytest.fixture(scope="module")
def leaderboard(patched: pytest.MonkeyPatch) -> ModuleType:
    """Return the command's module, with rows of its own."""
    found = importlib.import_module("leaderboard")
    patched.setattr(found, "SETTINGS", found.SETTINGS | SETTINGS)
    patched.setattr(found, "STRATEGIES", (*found.STRATEGIES, *SETTINGS))
    return found


@pytest.fixture(scope="module")
def board(
    leaderboard: ModuleType, tmp_path_factory: pytest.TempPathFactory, patched: pytest.MonkeyPatch
) -> list[str]:
    """Return the arguments of a board that was searched, in its directory."""
    place = tmp_path_factory.mktemp("board")
    (place / "small.csv").write_text(TABLE)
    patched.setenv("PYTHONPATH", str(ROOT / "src"))
    arguments = [str(place / "small.csv"), f"--dir={place / 'out'}", f"--page={place / 'page.md'}"]
    arguments += ["--machines", "Eyeriss", "--strategies", *SETTINGS]
    leaderboard.main(arguments)
    return arguments


def directory(board: list[str]) -> Path:
    return Path(board[0]).parent


def lines(board: list[str]) -> dict[str, list[str]]:
    """Return the cells of each row of the page's table."""
    page = (directory(board) / "page.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| `")]
    return {name.strip(" `"): [cell.strip() for cell in cells] for name, *cells in rows}


def result(board: list[str], name: str) -> dict[str, float]:
    place = directory(board) / "out" / "small" / "eyeriss" / name / "result.json"
    found: dict[str, float] = json.loads(place.read_text(encoding="utf-8"))
    return found


def test_a_page_tells_how_far_each_row_is_above_the_bound(board: list[str]) -> None:
    found, bound = result(board, "random_200-0"), result(board, "exact-0")["bound"]
    rows = lines(board)
    assert list(rows) == ["exact", *SETTINGS]
    (cell,) = rows["random, 200"]
    told, seconds = cell.split(", ")
    ratio = float(told[:-1]) / 100 + 1 if told.endswith("%") else float(told.split()[0])
    assert ratio == pytest.approx(found["edp"] / bound, rel=0.01)
    assert seconds.endswith(" s (0.2)")
    (best,) = rows["exact"]
    assert 0 <= float(best.split("%")[0]) <= 0.1
    page = (directory(board) / "page.md").read_text(encoding="utf-8")
    assert "- random, 200: `strategy=random strategy.designs=200`" in page
    assert "- Eyeriss: `accelerator=eyeriss`" in page
    assert f"{bound:.4g} (Eyeriss)" in page
    assert "## small" in page


def test_a_search_without_a_design_stands_as_such(board: list[str]) -> None:
    (cell,) = lines(board)["random, 1"]
    assert cell.startswith("no design fits, ")


def test_nothing_is_searched_twice(
    board: list[str], leaderboard: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("searched again")

    monkeypatch.setattr(subprocess, "run", refuse)
    page = directory(board) / "page.md"
    before = page.read_text(encoding="utf-8")
    leaderboard.main(board)
    assert page.read_text(encoding="utf-8") == before


def test_a_page_before_all_is_searched_says_what_is_missing(
    board: list[str], leaderboard: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    before = lines(board)
    *others, name, two = board
    leaderboard.main([*others, name, two, "latin", "--write"])
    rows = lines(board)
    assert rows.pop("latin") == ["-"]
    assert rows == before
    missing = "not searched yet, 1 of 4: latin on small, Eyeriss, seed 0\n"
    assert capsys.readouterr().err == missing


def test_a_page_of_nothing_searched_is_written(
    leaderboard: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "docs" / "page.md"
    leaderboard.main(["bert", "--write", f"--dir={tmp_path / 'none'}", f"--page={page}"])
    text = page.read_text(encoding="utf-8")
    # Neither maps for free sizes, and the library is Gemmini's.
    assert "| `cosa` |  | - | - | - | - |" in text
    assert "| `gemmini_library` |  | - |  |  |  |" in text
    assert "No bound is known yet" in text
    assert "exact on bert, Simba, seed 0" in capsys.readouterr().err


def test_a_search_by_other_settings_is_refused(
    board: list[str], leaderboard: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = SETTINGS | {"random, 1": ("strategy=random", "strategy.designs=2")}
    monkeypatch.setattr(leaderboard, "SETTINGS", other)
    with pytest.raises(SystemExit, match=r"random_1-0.seconds.json is of .*strategy.designs=1"):
        leaderboard.main([*board, "--write"])


def test_seeds_are_searched_each_but_of_what_draws_nothing(leaderboard: ModuleType) -> None:
    given = leaderboard.parsed(
        ["--strategies", "random", "cosa", "--machines", "Simba", "--seeds", "0", "2", "0"]
    )
    names = [run.name for run in leaderboard.runs(given)]
    assert names == [
        "exact on bert, Simba, seed 0",
        "random on bert, Simba, seed 0",
        "random on bert, Simba, seed 2",
        "cosa on bert, Simba, seed 0",
    ]
    assert leaderboard.parsed([*leaderboard.command(given)[2:]]).__dict__ == given.__dict__


def test_a_cell_of_seeds_has_mean_and_ends_and_names_what_is_missing(
    leaderboard: ModuleType,
) -> None:
    module = importlib.import_module("leaderboard_page")
    one, other = (leaderboard.Outcome(t, False, edp, None, 1000) for t, edp in ((4, 2), (8, 8)))
    unfit = leaderboard.Outcome(3, False)
    assert module.cell([one, other], 1.0) == "4 x, 2 x to 8 x, 6 s (1)"
    assert module.cell([one], 1.6) == "25.00%, 4 s (1)"
    assert module.cell([one, other], None) == "4 uJ*cycles, 2 uJ*cycles to 8 uJ*cycles, 6 s (1)"
    words = "; no design fits by 1 of 3 seeds; not searched by 1 of 3 seeds"
    assert module.cell([one, unfit, None], 1.0) == f"2 x, 4 s (1){words}"
    assert module.cell([unfit, unfit], 1.0) == "no design fits, 3 s"
    assert module.cell([None, None], 1.0) == "-"
    killed = leaderboard.Outcome(4, True, 2, None, 1000)
    assert module.cell([killed], 1.0) == "2 x, over 4 s (1)"


def test_every_row_and_column_is_a_legal_search(leaderboard: ModuleType) -> None:
    given = leaderboard.parsed([])
    each = {run.strategy: run for run in leaderboard.runs(given)}
    each |= {run.machine: run for run in leaderboard.runs(given)}
    assert set(each) == {*leaderboard.STRATEGIES, *leaderboard.MACHINES}
    for run in each.values():
        assert composed("search", {}, run.arguments).strategy

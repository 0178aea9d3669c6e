"""Paths with spaces, quotes, foreign letters and signs of grammar, in every field of one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from tests.entry.conftest import TABLE
from tests.helpers_predictors import predictor, save
from tests.helpers_scripts import Command
from tilegrad.composing import composed
from tilegrad.entry import FILES, plain_overrides
from tilegrad.workload import load_workload

NAMES = (
    "with space", "größe", "層", "it's", 'say "so"', "a=b", "a,b", "[1]", "run(1)", "{x}", "a: b",
    "#1", "50%", "a&b", "back\\slash", "end\\", "\\'", "'quoted'", "a;b", "*", "!", "-x", "@here",
)  # fmt: skip

FIELDS = (*FILES, "workload", "data", "source", "data.path", "+ckpt")


def read_back(argument: str) -> str:
    """Return the path that Hydra reads in the last of the overrides that an argument stands for."""
    parsed = OverridesParser.create().parse_override(plain_overrides([argument])[-1])
    assert not parsed.is_sweep_override()
    return str(parsed.value())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", FIELDS)
def test_a_path_that_exists_is_read_as_written(
    field: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name / f"{name}.csv"
    path.parent.mkdir()
    path.touch()
    assert read_back(f"{field}={path}") == str(path)
    assert read_back(f"{field}={path.relative_to(tmp_path)}") == str(path.relative_to(tmp_path))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("a,b", "'quoted'")])
def test_a_new_directory_is_named_as_written(name: str) -> None:
    assert read_back(f"dir=out/{name}") == f"out/{name}"
    assert read_back(f"dir={name}") == name


@pytest.mark.parametrize("name", NAMES)
def test_python_gives_texts_as_written(name: str) -> None:
    settings = {"workload": {"path": name, "network": name}}
    config = composed("search", settings, ["workload=table"])
    assert (config.workload.path, config.workload.network) == (name, name)


@pytest.mark.parametrize("value", ["a.ckpt,b.ckpt", "choice(a,b)", "glob(*)"])
def test_sweeps_stay_sweeps(value: str) -> None:
    (plain,) = plain_overrides([f"ckpt={value}"])
    assert OverridesParser.create().parse_override(plain).is_sweep_override()


def test_a_run_reads_and_writes_there(command: Command, tmp_path: Path) -> None:
    name = """größe, it's [1] a=b say "so" (2)"""
    folder = tmp_path / name
    folder.mkdir()
    (folder / f"{name}.csv").write_text(TABLE)
    workload = load_workload(path=str(folder / f"{name}.csv"))
    save(predictor("linear", workload), folder / f"{name}.ckpt")
    arguments = (
        f"workload={folder / name}.csv", f"ckpt={folder / name}.ckpt", f"dir={folder}/run {name}",
        "strategy=random", "strategy.designs=20", "progress=false",
    )  # fmt: skip
    ended = command(*arguments)
    assert ended.code == 0, ended.err
    found = json.loads((folder / f"run {name}" / "result.json").read_text())
    assert found["workload"] == name

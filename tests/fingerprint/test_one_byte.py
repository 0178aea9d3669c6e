"""One byte of one input of a finished run changes, and the command is repeated."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tests.fingerprint.runs import RUNS, Run, figures, write_inputs
from tests.helpers_scripts import Ended, Script
from tests.training.conftest import snapshot

FEW, MANY = 2, 60
"""Draws of each kind of run in `make test` and in `make exhaustive`."""

FORMAT = "fingerprint.json"


@pytest.fixture
def inputs(directory: Path) -> Path:
    """Write all that the runs read into the working directory."""
    write_inputs(directory)
    return directory


def flip(path: Path, draw: random.Random) -> None:
    """Change one byte of a file to any other value."""
    content = bytearray(path.read_bytes())
    place = draw.randrange(len(content))
    content[place] = (content[place] + draw.randrange(1, 256)) % 256
    path.write_bytes(content)


def check_refused(ended: Ended, names: tuple[str, ...]) -> None:
    last = ended.err.splitlines()[-1]
    assert last.startswith("error: "), ended.err
    assert "Traceback" not in ended.err
    assert any(name in last for name in names), ended.err


def check_change(script: Script, run: Run, changed: str, names: tuple[str, ...]) -> None:
    """Repeat a run whose input was changed: refused by name, or what a new run would find."""
    before = figures(Path("run"))
    files = {name for name in snapshot(Path("run")) if not name.endswith(".lock")}
    ended = script(run.command, *run.into("run"))
    assert ended.code in (0, 2), ended.err
    if ended.code == 2:
        check_refused(ended, names)
        assert figures(Path("run")) == before
        assert files <= set(snapshot(Path("run"))) | {"job.json", changed}
        return
    fresh = script(run.command, *run.into("fresh"))
    assert fresh.code == 0, fresh.err
    assert figures(Path("run")) == figures(Path("fresh"))


def check_draws(script: Script, kind: str, draws: int) -> None:
    """Change one byte of a random input as often as asked, each time of a run that was whole."""
    run, draw = RUNS[kind], random.Random(kind)
    ended = script(run.command, *run.into("run"))
    assert ended.code == 0, ended.err
    shutil.copytree("run", "kept")
    stamps = [str(path) for path in sorted(Path("run").rglob(FORMAT))]
    for _ in range(draws):
        changed = draw.choice([*run.inputs, stamps[0]])
        whole = Path(changed).read_bytes()
        flip(Path(changed), draw)
        names = run.inputs.get(changed, (FORMAT, "another", "format"))
        check_change(script, run, changed, names)
        Path(changed).write_bytes(whole)
        for place in ("run", "fresh"):
            shutil.rmtree(place, ignore_errors=True)
        shutil.copytree("kept", "run")


@pytest.mark.parametrize("kind", ["training", "search"])
def test_one_byte_of_an_input(kind: str, script: Script, inputs: Path) -> None:
    assert inputs.is_dir()
    check_draws(script, kind, FEW)


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", RUNS)
def test_one_byte_of_an_input_often(kind: str, script: Script, inputs: Path) -> None:
    assert inputs.is_dir()
    check_draws(script, kind, MANY)

"""What a command imports before it answers, by fresh processes: none waits for what it spares."""

from __future__ import annotations

import copy
import gc
import json
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from hydra.core.config_store import ConfigStore

from tests.entry.conftest import script_environment
from tests.helpers_scripts import Script
from tests.helpers_slow import slow_but
from tilegrad.application import Job
from tilegrad.lasting import import_lasting

TENSORS = {"torch", "numpy", "scipy", "pandas", "pyarrow"}
LATE = {"sklearn", "lightning", "pytorch_lightning", "matplotlib", "ray", "optuna", "wandb"}

LATE_OWN = {"tilegrad.search.exact", "tilegrad.record", "tilegrad.report.pictures"}

LOADED = """
import atexit, json, sys
def tell():
    own = {name for name in sys.modules if name.startswith("tilegrad.")}
    names = own | {name.partition(".")[0] for name in sys.modules}
    print("\\n" + json.dumps(sorted(names)))
atexit.register(tell)
"""

COMMAND = LOADED + "from tilegrad.cli import main; main(sys.argv[1:])"

EACH = (
    LOADED
    + """
import os, shlex
import tilegrad.application
from tilegrad.cli import main
for arguments in sys.argv[2:]:
    if not os.fork():
        main([sys.argv[1], *shlex.split(arguments)])
        sys.exit()
    os.wait()
"""
)
"""A command with each of several arguments, in processes that begin where Hydra is imported."""

UNTIL_THE_FIRST_STEP = """
from tilegrad.search.runner import Runner
def stop(*_):
    raise SystemExit
Runner.run = stop
"""


def printed(code: str, directory: Path, *arguments: str) -> list[str]:
    """Return the lines that a process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=directory,
        env=script_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.splitlines()


def loaded(code: str, directory: Path, *arguments: str) -> set[str]:
    """Return the packages that a process has imported at its end."""
    return set(json.loads(printed(code, directory, *arguments)[-1]))


def test_the_package_imports_next_to_nothing(directory: Path) -> None:
    found = loaded(LOADED + "import tilegrad", directory)
    assert not found & (TENSORS | LATE | {"hydra", "rich", "yaml"})


@pytest.mark.parametrize("command", slow_but(["search", "train", "eval", "compare"], "search"))
def test_help_and_typos_wait_for_no_tensors(command: str, directory: Path) -> None:
    mistaken = ("--help", "sed=1", "workload=resnet5", "seed==1", "--config-dir=no")
    lines = printed(EACH, directory, command, *mistaken)
    found = [set(json.loads(line)) for line in lines if line.startswith("[")]
    assert len(found) == len(mistaken) + 1
    assert all("hydra" in each for each in found)
    assert not set().union(*found) & (TENSORS | LATE)


@pytest.mark.parametrize(
    "arguments", [(), ("--help",), ("evalute",), ("evaluate", "--help"), ("export",)]
)
def test_the_list_of_commands_waits_for_nothing(
    arguments: tuple[str, ...], directory: Path
) -> None:
    assert not loaded(COMMAND, directory, *arguments) & (TENSORS | LATE | {"hydra"})


@pytest.mark.slow
def test_a_search_begins_without_what_comes_after_it(directory: Path) -> None:
    found = loaded(
        LOADED + UNTIL_THE_FIRST_STEP + COMMAND, directory, "search", "workload=small.csv"
    )
    assert "torch" in found
    assert not found & (LATE | {"scipy", "pandas", "pyarrow", "sympy", "pydantic"})
    assert "tilegrad.search.gradient" in found
    assert not found & LATE_OWN


@pytest.mark.parametrize("broken", [False, True])
def test_imports_of_a_command_pause_the_collector(
    broken: bool, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(directory)
    name = f"made_{broken}".lower()
    end = "raise KeyError" if broken else ""
    (directory / f"{name}.py").write_text(f"import gc\nassert not gc.isenabled()\n{end}\n")
    frozen = gc.get_freeze_count()
    with pytest.raises(KeyError) if broken else nullcontext():
        import_lasting(name)
    assert gc.isenabled()
    assert (gc.get_freeze_count() > frozen) is not broken


def test_hydra_copies_its_store_of_configs_outside_of_commands_alone(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, within = ConfigStore.instance(), []
    monkeypatch.setattr(Job, "__call__", lambda *_: within.append(copy.deepcopy(store)))
    assert script("search", "hydra.run.dir=run").code == 0
    assert within == [store]
    assert copy.deepcopy(store) is not store

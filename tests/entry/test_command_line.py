"""``tilegrad COMMAND``: the list of commands, names that are mistaken, Hydra's commands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.entry.conftest import SCRIPT, script_environment
from tests.helpers_schedules import MadeSchedules
from tilegrad import cli

COMMANDS = (*cli.CONFIGURED, *cli.PLAIN)

BRIEF = "_target_: tilegrad.search.RandomStrategy\ndesigns: 20\n"


def test_the_help_lists_every_command_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    purposes = {words[0]: words[1:] for words in lines if words and words[0] in COMMANDS}
    assert tuple(purposes) == COMMANDS
    assert all(purposes.values())


def test_an_unknown_command_is_refused_with_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["serach", "workload=bert"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: unknown command 'serach' (legal: search, train, ")
    assert message.endswith("nearest: search)\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("verify run --sed 1", "unknown option '--sed' (legal: "),
        ("verify run --sed=1", "nearest: --seed"),
        ("verify run --seed x", "--seed is 'x'; legal: an integer"),
        ("export run --target gemini --out x", "--target is 'gemini'; legal: timeloop, gemmini"),
        ("export run --target gemini --out x", "nearest: gemmini"),
        ("export run --target gemmini", "the following arguments are required: --out"),
        ("calibrate --plan 2 --hardware pe_dim=7.5 --out afile", "hardware.pe_dim is 7.5; legal: "),
        ("calibrate absent.csv --out afile/x.ckpt", "afile is a file; legal: a directory"),
        ("import absent.yaml --out x", "absent.yaml: cannot be read (No such file or directory)"),
        ("schedules --preview afile/x.png", "afile/x.png: cannot be written (Not a directory)"),
    ],
)
def test_plain_commands_refuse_in_one_line(
    arguments: str,
    told: str,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (directory / "afile").touch()
    few = Mock(return_value=MadeSchedules(each=1).load())
    monkeypatch.setattr("tilegrad.schedules.simulated.SimulatedSchedules.load", few)
    assert cli.main(arguments.split()) == 2
    message = capsys.readouterr().err
    assert (message.startswith("error: "), message.count("\n")) == (True, 1)
    assert told in message


@pytest.mark.parametrize("name", cli.CONFIGURED)
def test_help_of_a_configured_command_calls_it_as_it_was_called(
    name: str, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert directory.is_dir()
    with pytest.raises(SystemExit) as ended:
        cli.main([name, "--help"])
    assert ended.value.code == 0
    assert f"tilegrad {name} " in capsys.readouterr().out


@pytest.mark.slow
def test_a_search_by_the_command_is_that_of_the_script(directory: Path) -> None:
    random = ("workload=small.csv", "strategy=random", "strategy.designs=20")
    settings = (*random, "report=false", "bound=none", "progress=false")
    script = [sys.executable, str(SCRIPT), *settings, "dir=script"]
    subprocess.run(script, env=script_environment(), check=True)
    assert cli.main(["search", *settings, "dir=command"]) == 0
    histories = [(directory / run / "history.csv").read_text() for run in ("script", "command")]
    runs = [[row.split(",")[::2] for row in text.splitlines()] for text in histories]
    assert runs[0] == runs[1]


def test_the_process_arguments_are_left_as_they_were(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert directory.is_dir()
    given = ["tilegrad", "search", "sed=1"]
    monkeypatch.setattr(sys, "argv", list(given))
    assert cli.main() == 2
    assert sys.argv == given


def test_a_config_directory_of_ones_own_adds_options(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "mine" / "strategy").mkdir(parents=True)
    (directory / "mine" / "strategy" / "brief.yaml").write_text(BRIEF)
    settings = ["workload=small.csv", "report=false", "progress=false", "dir=run"]
    own = ["--config-dir", "mine"]
    assert cli.main(["search", *own, *settings, "strategy=brief"]) == 0
    assert "samples" in (directory / "run" / "result.json").read_text()
    assert cli.main(["search", *own, *settings, "strategy=breif"]) == 2
    message = capsys.readouterr().err
    named = re.search(r"legal: (.+); nearest: brief", message)
    assert named is not None
    assert {"brief", "exact", "gradient", "random"} <= set(named[1].split(", "))

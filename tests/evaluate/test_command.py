"""The command itself: exit codes of a real process, help, interruption, a failing disk."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pandas as pd
import pyarrow.parquet as pq
import pytest
from rich.console import Console

import tilegrad
from tilegrad import cli
from tilegrad.tables.progress import progress_bar

SOURCE = Path(tilegrad.__file__).parents[1]


def process(
    *arguments: object, start: tuple[str, ...] = ("-m", "tilegrad.cli")
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *start, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_a_process_that_succeeds(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    running = process("evaluate", table, "--accelerator", "gemmini", "--out", out)
    printed, complaints = running.communicate(timeout=60)
    assert (running.returncode, complaints) == (0, "")
    assert "3 rows evaluated" in printed
    assert "rows/s" in printed
    assert len(pd.read_parquet(out)) == 3


@pytest.mark.slow
def test_a_process_that_is_refused(tmp_path: Path) -> None:
    running = process("evaluate", tmp_path / "no.csv", "--accelerator", "gemmini", "--out", "x")
    printed, complaints = running.communicate(timeout=60)
    assert (running.returncode, printed) == (2, "")
    assert complaints.startswith("error: ")
    assert "Traceback" not in complaints


INTERRUPTED = """
import os, signal, sys
import pyarrow.parquet as pq
from tilegrad import cli
pq.ParquetWriter.write_batch = lambda *_: os.kill(os.getpid(), signal.SIGINT)
sys.exit(cli.main())
"""
"""The command, whose process gets the signal of Ctrl-C when it first writes."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
def test_an_interrupted_process(table: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    arguments = ("evaluate", table, "--accelerator", "gemmini", "--out", results / "o.parquet")
    running = process(*arguments, start=("-c", INTERRUPTED))
    _, complaints = running.communicate(timeout=60)
    assert (running.returncode, complaints) == (130, "interrupted; nothing was written\n")
    assert list(results.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "interrupted; nothing was written"),
        (OSError(28, "No space left on device"), 2, "cannot be written (No space left on device)"),
    ],
)
def test_a_failure_keeps_earlier_results(
    evaluate: Callable[..., int],
    table: Path,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    words: str,
) -> None:
    out.write_bytes(b"earlier results")
    monkeypatch.setattr(pq.ParquetWriter, "write_batch", Mock(side_effect=error))
    assert evaluate(table) == code
    assert words in capsys.readouterr().err
    assert list(out.parent.iterdir()) == [out]
    assert out.read_bytes() == b"earlier results"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["evalute"], "unknown command 'evalute'"),
        (["evaluate"], "TABLE, --accelerator, --out"),
        (["evaluate", "t.csv", "--out", "o.parquet"], "--accelerator"),
        (["evaluate", "t.csv", "--accelerator", "gemmini", "--out"], "--out"),
        (["evaluate", "t.csv", "--skipinvalid"], "error: "),
    ],
)
def test_arguments_that_are_wrong(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert message.count("\n") == 1
    assert words in message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--version"], tilegrad.__version__),
        (["--help"], "evaluate"),
        (["evaluate", "--help"], "mapping.mapping"),
        (["evaluate", "--help"], "tilegrad eval (eval.py)"),
    ],
)
def test_help(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 0
    assert words in capsys.readouterr().out


def test_the_bar_shows_rows_per_second() -> None:
    screen = io.StringIO()
    with progress_bar(Console(file=screen, force_terminal=True), "[table]") as progress:
        assert progress is not None
        progress(1234, 0.5)
    shown = screen.getvalue()
    assert "1,234 rows" in shown
    assert "rows/s" in shown
    assert "[table]" in shown


def test_no_bar_outside_a_terminal() -> None:
    screen = io.StringIO()
    with progress_bar(Console(file=screen), "table") as progress:
        assert progress is None
    assert screen.getvalue() == ""

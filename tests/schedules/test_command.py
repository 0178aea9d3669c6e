"""``tilegrad schedules``: what it prints and writes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tilegrad import cli
from tilegrad.accelerator import load_accelerator
from tilegrad.schedules import TableFile

FEW = ("source.machines=3", "source.each=2", "source.cache=cache", "workload=alexnet")


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    return tmp_path


def test_schedules_are_counted_drawn_and_exported(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["schedules", *FEW, "--preview", "few.png", "--out", "few.parquet"]) == 0
    said = capsys.readouterr().out
    rows = TableFile("few.parquet", load_accelerator("gemmini"), duplicates=True).load()
    assert f"schedules: {len(rows)}, layers: {len(rows) // 6}, machines: 3" in said
    assert (directory / "few.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--preview", "few.txt"], ("--preview is 'few.txt'", ".png")),
        (["--out", "few.csv"], ("few.csv", "legal: .parquet")),
        (["--out", "absent/few.parquet"], ("no folder 'absent'",)),
        (["source.machines=0"], ("source.machines is 0", ">= 1")),
        (["source.hardware=5"], ("source.hardware is 5", "scratchpad_kb")),
        (["source.hardware={pe_dm:3}"], ("'pe_dm'", "nearest: pe_dim")),
        (["hardware.pe_dim=16"], ("hardware.pe_dim=16 is of searches", "source.hardware")),
        (["caps.pe_dim=16"], ("caps.pe_dim=16 is of searches", "source.hardware")),
        (["source=tabel"], ("'tabel'", "nearest: table")),
        (["source=absent.csv"], ("absent.csv: cannot be read",)),
        (["data=table"], ("data is no group", "--help")),
        (["machines=3"], ("unknown field 'machines'", "source")),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_bad_input_is_refused_in_one_paragraph(
    arguments: list[str], words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    given = FEW if not any(a.startswith(("source=", "data=")) for a in arguments) else ()
    assert cli.main(["schedules", *given, *arguments]) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert message.count("\n") == 1
    for word in words:
        assert word in message

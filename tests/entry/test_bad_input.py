"""Malformed input: exit code 2, one paragraph that names field, value and what is legal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.entry.conftest import SCRIPT, SMALL, script_environment
from tests.helpers_scripts import Case, Command, case
from tilegrad.complaints import describe

HEADER = "layer,R,S,P,Q,C,K"


FIELDS = [
    case("sed=1", "unknown field 'sed'", "nearest: seed"),
    case("+trial=x", "unknown field 'trial'", "workload"),
    case("seed.low=1", "unknown field 'low'", "seed"),
    case("strategy.stepps=3", "strategy", "'stepps'", "nearest: steps"),
    case("strategy=random strategy.steps=3", "strategy", "'steps'", "designs"),
    case("+strategy.foo=3", "strategy", "'foo'", "learning_rate"),
    case("strategy.name=x", "strategy", "'name'", "steps"),
    case("hardware.pe=16", "hardware", "'pe'", "nearest: pe_dim"),
    case("+hardware.pe=16", "hardware", "'pe'", "nearest: pe_dim"),
    case("+caps.area=1", "caps", "'area'", "nearest: area_mm2"),
    case("+budget.minutes=1", "budget", "'minutes'", "samples, seconds"),
    case("~seed", "seed", "missing"),
    case("workload=table", "workload.path", "missing"),
]

OPTIONS = [
    case("workload=resnet5", "workload", "'resnet5'", "nearest: resnet50", "bert"),
    case("workload=5", "workload", "'5'", "bert"),
    case("workload=null", "workload", "'null'", "bert"),
    case("strategy=gradiant", "strategy", "'gradiant'", "nearest: gradient", "random"),
    case("accelerator=gemini", "accelerator", "'gemini'", "nearest: gemmini"),
    case("padding=some", "padding", "'some'", "auto, always, none"),
    case(
        "padding=always ckpt=gemmini_rtl", "padding is 'always'", "ckpt=gemmini_rtl", "padding=none"
    ),
    case("objective=edb", "objective", "'edb'", "nearest: edp", "area-delay"),
    case("optimized_metric=egy", "optimized_metric", "'egy'", "energy_uj"),
    case("workload.source=nope", "workload.source", "'nope'", "unet"),
]

VALUES = [
    case("seed=-1", "seed", "-1", "from 0"),
    case("seed=1.5", "seed", "1.5", "integer"),
    case("seed=null", "seed", "None", "integer"),
    case("seed=true", "seed", "True", "integer"),
    case("seed=99999999999999999999", "seed", "99999999999999999999", "2**63"),
    case("seed=[1,2]", "seed", "[1, 2]", "integer"),
    case("budget.samples=1e3", "budget.samples is 1000.0; legal: an integer", "; write 1000"),
    case("budget.samples=0", "budget.samples", "0", "integer"),
    case("budget.seconds=nan", "budget.seconds", "nan", "> 0"),
    case("budget.seconds=-3", "budget.seconds", "-3", "> 0"),
    case("budget=5", "budget", "5", "samples, seconds"),
    case("caps=null", "caps", "None", "area_mm2"),
    case("strategy.steps=many", "strategy.steps", "'many'", "integer"),
    case("strategy.starts=0", "strategy.starts", "0", "integer"),
    case("strategy.momentum=1", "strategy.momentum", "1", "< 1"),
    case("strategy.learning_rate=nan", "strategy.learning_rate", "nan", "> 0"),
    case("strategy=random strategy.designs=0", "strategy.designs", "0", "integer"),
    case("hardware.pe_dim=-4", "hardware.pe_dim", "-4", "at least 2"),
    case("hardware.pe_dim=nan", "hardware.pe_dim", "nan", "at least 2"),
    case("hardware.pe_dim=2.5", "hardware.pe_dim", "2.5", "whole number"),
    case("hardware.scratchpad_kb=big", "hardware.scratchpad_kb", "'big'", "whole number"),
    case("caps.accumulator_kb=inf", "caps.accumulator_kb", "inf", "whole number"),
    case("caps.area_mm2=0", "caps.area_mm2", "0", "> 0"),
    case("report=maybe", "report", "'maybe'", "true, false"),
    case("progress=3", "progress", "3", "true, false"),
    case("seed=${nope}", "seed", "'nope'", "legal"),
    case("seed=${oc.env:TILEGRAD_NOPE}", "seed", "TILEGRAD_NOPE", "legal"),
]

LIMITS = [
    case("hardware.pe_dim=256", "hardware.pe_dim", "256", "caps.pe_dim = 128"),
    case("caps.area_mm2=0.001", "caps.area_mm2", "0.001", "smallest design", "mm2"),
    case("caps.area_mm2=1 hardware.pe_dim=128", "caps.area_mm2 = 1", "smallest design"),
    case(
        "hardware.pe_dim=1024 caps.pe_dim=null caps.accumulator_kb=1",
        "caps.accumulator_kb = 1",
        "needs 4 KB",
    ),
]

SYNTAX = [
    case("seed", "'seed'", "field=value"),
    case("=3", "'=3'", "field=value"),
    case("seed==3", "'seed==3'", "field=value"),
    case("seed=${", "'seed=${'", "field=value"),
    case("seed=1,2", "'seed=1,2'", "--multirun"),
]

FILES = [
    case("workload=absent.csv", "absent.csv", "no such file"),
    case("workload=truncated.csv", "truncated.csv, line 2", "field C", "7"),
    case("workload=negative.csv", "negative.csv, line 2", "field P", "-8", "from 1"),
    case("workload=empty.csv", "empty.csv", "empty", "header"),
    case("workload=broken.yaml", "broken.yaml", "YAML"),
    case("workload=small.csv workload.network=x", "small.csv", "'x'", "legal: null"),
    case("dir=small.csv", "dir=small.csv", "is a file", "directory"),
    case("dir=small.csv/below", "small.csv", "is a file", "directory"),
    case("dir=corrupt", "corrupt", "checkpoint.pt without a fingerprint", "another dir="),
    case("dir=foreign", "foreign", "checkpoint.pt without a fingerprint", "another dir="),
]

ACCELERATORS = [
    case("accelerator.arithmetic.energy_pj=nan", "arithmetic", "energy_pj", "nan", ">= 0"),
    case("accelerator.levels.0.loops=[Z]", "levels[0]", "loops", "'Z'", "R, S, P, Q, C, K, N"),
    case("accelerator.levels.1.word_bits=-8", "levels[1]", "word_bits", "-8", "integer >= 1"),
    case("accelerator.levels.2.capacity_kb=spad", "levels[2]", "'spad'", "scratchpad_kb"),
    case("accelerator.counting=timelop", "counting", "'timelop'", "nearest: timeloop"),
    case("accelerator.levels=[]", "levels", "at least two", "0"),
    case("+accelerator.foo=1", "accelerator gemmini", "'foo'", "levels"),
]

CASES = [*FIELDS, *OPTIONS, *VALUES, *LIMITS, *SYNTAX, *FILES, *ACCELERATORS]


@pytest.fixture(autouse=True)
def malformed_files(directory: Path) -> None:
    import torch

    (directory / "truncated.csv").write_text(f"{HEADER}\nconv,3,3,8,8\n")
    (directory / "negative.csv").write_text(f"{HEADER}\nconv,3,3,-8,8,4,8\n")
    (directory / "empty.csv").write_text("")
    (directory / "broken.yaml").write_text("layers: [{name: conv\n")
    for name in ("corrupt", "foreign"):
        (directory / name).mkdir()
    (directory / "corrupt" / "checkpoint.pt").write_bytes(b"PK not a checkpoint")
    torch.save({"epoch": 3}, directory / "foreign" / "checkpoint.pt")


def snapshot(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else b""
        for path in directory.rglob("*")
    }


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: bad.arguments.replace(" ", "+"))
def test_bad_input_is_refused_in_one_paragraph(
    bad: Case, command: Command, directory: Path
) -> None:
    before = snapshot(directory)
    given = bad.arguments.split()
    if not any(argument.startswith(("workload", "strategy")) for argument in given):
        given = ["workload=small.csv", *SMALL, *given]
    ended = command(*given)
    assert ended.code == 2
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    assert "Traceback" not in ended.err
    for name in bad.names:
        assert name in ended.err
    assert snapshot(directory) == before


def test_another_search_in_the_directory_is_refused_untouched(
    command: Command, directory: Path
) -> None:
    small = ("workload=small.csv", "progress=false", "dir=run", *SMALL)
    assert command(*small).code == 0
    before = snapshot(directory)
    ended = command(*small, "seed=7")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "another seed (0 there, 7 here)" in ended.err
    assert snapshot(directory) == before


def test_an_error_without_a_rule_of_its_own_stays_one_line() -> None:
    assert describe(ValueError("first\n\n  second\n")) == "first second"


@pytest.mark.parametrize(
    ("argument", "name"),
    [
        ("--workload", "--workload"),
        pytest.param("seed=-1", "seed is -1", marks=pytest.mark.slow),
    ],
)
def test_a_real_process_exits_with_2(argument: str, name: str, directory: Path) -> None:
    before = snapshot(directory)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), argument],
        env=script_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert name in done.stderr
    assert "Traceback" not in done.stderr
    assert snapshot(directory) == before

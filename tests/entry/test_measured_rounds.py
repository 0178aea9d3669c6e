"""``search.py target=gemmini measure.rounds=N`` on a machine with hidden costs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.helpers_machine import HiddenMachine
from tests.helpers_scripts import Command
from tilegrad.accelerator import load_accelerator
from tilegrad.schedules import TableFile

FIXED = ("hardware.pe_dim=16", "hardware.scratchpad_kb=128", "hardware.accumulator_kb=32")
RUN = (
    "workload=two.csv", "strategy=random", "strategy.designs=200", *FIXED, "ckpt=gemmini_rtl",
    "report=false", "progress=false", "measure.per_round=3",
)  # fmt: skip
MACHINE = "+target._target_=tests.helpers_machine.HiddenMachine"


@pytest.fixture(autouse=True)
def two_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("two.csv").write_text(
        "layer,R,S,P,Q,C,K,count\nc,3,3,12,12,32,32,2\nm,1,1,96,1,64,128,1\n"
    )


def table(place: str) -> list[dict[str, str]]:
    with Path(place).open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_round_leaves_the_best_measured_design(command: Command) -> None:
    ended = command(*RUN, MACHINE, "measure.rounds=1", "measure.per_round=6", "dir=whole")
    assert ended.code == 0, ended.err
    rows = table("whole/measured.csv")
    assert len({(row["layer"], row["program"]) for row in rows}) == 6
    loaded = TableFile("whole/measured.csv", load_accelerator("gemmini")).load()
    assert loaded.targets["latency"].tolist() == [float(row["target.cycle"]) for row in rows]
    result = json.loads(Path("whole/result.json").read_text())
    best = {layer["name"]: layer["measured_cycles"] for layer in result["layers"]}
    total = 2 * best["c"] + best["m"]
    assert result["measured"]["cycles"] == total
    assert result["measured"]["edp"] == pytest.approx(result["energy_uj"] * total)
    curve = [float(point["edp"]) for point in table("whole/measured_curve.csv")]
    assert len(curve) == 5
    assert curve == sorted(curve, reverse=True)
    assert curve[-1] == pytest.approx(result["measured"]["edp"])
    assert Path("whole/measured.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_rounds_that_were_interrupted_go_on(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped while it measures, then with a round more: as if it had never stopped."""

    def interrupted(*_: object) -> dict[str, int]:
        raise KeyboardInterrupt

    assert command(*RUN, MACHINE, "measure.rounds=2", "dir=whole").code == 0
    rows = table("whole/measured.csv")
    assert [row["round"] for row in rows] == ["1", "1", "1", "2", "2", "2"]
    # By what the first round taught, the second is predicted better.
    errors = [abs(float(r["predicted_cycles"]) / float(r["target.cycle"]) - 1) for r in rows]
    assert sum(errors[3:]) < sum(errors[:3])
    with monkeypatch.context() as patch:
        patch.setattr(HiddenMachine, "run_programs", interrupted)
        ended = command(*RUN, MACHINE, "measure.rounds=1", "dir=parts")
        assert (ended.code, "go on: the same command" in ended.err) == (130, True)
    assert command(*RUN, MACHINE, "measure.rounds=1", "dir=parts").code == 0
    assert command(*RUN, MACHINE, "measure.rounds=2", "dir=parts").code == 0
    assert table("parts/measured.csv") == rows
    other = command(*RUN, MACHINE, "measure.rounds=2", "measure.choice=random", "dir=parts")
    assert "holds a search with another measure" in other.err


def test_programs_without_an_answer_are_told_and_left(command: Command) -> None:
    run = (*RUN, MACHINE, "+target.broken=_c", "measure.rounds=1", "dir=run")
    ended = command(*run)
    assert ended.code == 2
    assert "round 1: 000_c: broken" in ended.err
    assert "layers 'c' have no measurement" in ended.err
    assert {row["layer"] for row in table("run/measured.csv")} == {"m"}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "there is nothing to measure on; legal: target=gemmini with target.simulator"),
        (("target=gemmini",), "there is nothing to measure on"),
        ((MACHINE, "ckpt=null"), "without a ckpt; legal: ckpt=gemmini_rtl"),
        ((MACHINE, "hardware.pe_dim=null"), "hardware.pe_dim is null"),
        ((MACHINE, "objective=energy"), "legal beside measure.rounds: edp, latency"),
        ((MACHINE, "measure.choice=best"), "legal: acquisition, search, random"),
        ((MACHINE, "measure.per_round=0"), "measure.per_round"),
        ((MACHINE, "measure.rounds=-1"), "measure.rounds"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    command: Command, arguments: tuple[str, ...], named: str
) -> None:
    ended = command(*RUN, "measure.rounds=1", *arguments, "dir=run")
    assert ended.code == 2
    assert named in ended.err
    assert not Path("run").exists()

"""``target=gemmini``: programs on simulators that answer, crash, hang, lie or babble."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from tests.targets.conftest import MAPPING, PROBLEM
from tests.targets.gemmini_design import STUB
from tilegrad.accelerator import load_accelerator
from tilegrad.errors import ConfigError
from tilegrad.paths import config_directory
from tilegrad.record import read_result
from tilegrad.targets.gemmini import GemminiTarget
from tilegrad.targets.gemmini.data import expected_checksum
from tilegrad.workload import Problem

RIGHT = f"{expected_checksum(Problem.from_fields('one', PROBLEM).as_dict()):016x}"
ANSWER = f"""
import re, sys
program = open(sys.argv[-1]).read()
for begin, key in re.findall(r'printf\\("(tilegrad: begin (\\S+) .+?)\\\\n"', program):
    print("booting\\n" + begin)
    for cycles in (COLD, CYCLES):
        print(f"tilegrad: end {{key}} cycles={{cycles}}", flush=True)
    print(f"tilegrad: result {{key}} checksum={RIGHT}", flush=True)
"""
SILENT = ANSWER.replace('print(f"tilegrad: res', 'dict(x=f"tilegrad: res')
COUNTS = "open('runs', 'a').write('x')\n"
LEAST = 16 * 64 * 8 // 8**2
"""Cycles of the layer's MACs on 8 x 8 PEs."""

Simulator = Callable[[str], str]


def answer(cycles: int, program: str = ANSWER) -> str:
    """Return a simulator's program that answers; the first execution takes half as long again."""
    return program.replace("COLD", str(3 * cycles // 2)).replace("CYCLES", str(cycles))


@pytest.fixture
def simulator(tmp_path: Path) -> Simulator:
    """Return a function that writes a Python program as an executable file."""

    def write(program: str) -> str:
        path = tmp_path / "a simulator"
        path.write_text(f"#!{sys.executable}\n{program}\n")
        path.chmod(0o755)
        return str(path)

    return write


def compare(run: Path, **settings: Any) -> list[str]:
    target = GemminiTarget(**settings)
    target.check(load_accelerator("gemmini"))
    return target.compare(run, load_accelerator("gemmini"))


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "gemmini.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_without_a_simulator_programs_are_written(run: Path) -> None:
    (line,) = compare(run)
    assert line == f"2 programs in {run / 'gemmini'}; none was run, as target.simulator is null"
    assert len(list((run / "gemmini" / "layers").glob("*.c"))) == 2
    assert (run / "gemmini" / "include" / "gemmini_params.h").exists()
    assert not (run / "gemmini.csv").exists()


def test_measured_cycles_stand_beside_ours(run: Path, simulator: Simulator) -> None:
    record = json.loads((run / "result.json").read_text())
    record["layers"][0]["predicted_cycles"] = 900
    record["layers"][0]["predicted_interval"] = [800, 1000]
    (run / "result.json").write_text(json.dumps(record))
    lines = compare(run, simulator=simulator(answer(1000)))
    assert lines[0] == "cycles: 2 of 2 layers compared with Gemmini, largest disagreement 48.8 %"
    assert lines[1].startswith("predicted cycles: 1 of 2 layers compared with Gemmini, largest")
    first, second = rows(run)
    assert (first["layer"], first["measured_cycles"], second["layer"]) == ("one", "1000", "two/b")
    assert float(first["predicted_error_percent"]) == -10
    assert second["predicted_cycles"] == ""
    measured = json.loads((run / "gemmini.json").read_text())["layers"]
    assert [layer["measured_cycles"] for layer in measured] == [1000, 1000]
    assert "booting" in (run / "gemmini" / "logs" / "000_one.log").read_text()


@pytest.mark.parametrize("warm", [1, 0])
def test_cold_and_warm_cycles_are_the_results(run: Path, simulator: Simulator, warm: int) -> None:
    gemmini = load_accelerator("gemmini")
    gemmini = replace(gemmini, machine={**gemmini.machine, "warm": warm})
    GemminiTarget(simulator=simulator(answer(1000))).compare(run, gemmini)
    result = read_result(run)
    expected = 1000 if warm else 1500
    for layer in result.layers:
        assert (layer.measured_cold_cycles, layer.measured_warm_cycles) == (1500, 1000)
        assert layer.measured_cycles == expected
    assert result.measured is not None
    assert result.measured.cycles == 2 * expected
    assert result.measured.edp == pytest.approx(2 * expected * result.energy_uj)
    assert [(row["cold_cycles"], row["warm_cycles"]) for row in rows(run)] == [("1500", "1000")] * 2


def test_programs_share_a_boot(run: Path, simulator: Simulator) -> None:
    counting = COUNTS + answer(1000)
    lines = compare(run, simulator=simulator(counting), per_boot=8)
    assert (run / "gemmini" / "runs").read_text() == "x", lines
    assert [row["measured_cycles"] for row in rows(run)] == ["1000", "1000"]
    compare(run, simulator=simulator(counting), per_boot=8)
    assert (run / "gemmini" / "runs").read_text() == "x"
    # What lies in each log is that program's.
    for name in ("000_one", "001_two_b"):
        log = (run / "gemmini" / "logs" / f"{name}.log").read_text()
        assert re.findall(r"tilegrad: begin (\S+)", log) == [name]


@pytest.mark.parametrize(
    ("broken", "boots", "problems"),
    [("000_one", 2, ["ended with code 3", ""]), ("001_two_b", 1, ["", "ended with code 3"])],
)
def test_a_program_that_breaks_a_boot_breaks_no_other(
    run: Path, simulator: Simulator, broken: str, boots: int, problems: list[str]
) -> None:
    """Those before it are measured; those behind it run again."""
    crashing = ANSWER.replace(
        "    for cycles", f"    key != '{broken}' or sys.exit(3)\n    for cycles"
    )
    compare(run, simulator=simulator(COUNTS + answer(1000, crashing)), per_boot=8)
    assert (run / "gemmini" / "runs").read_text() == "x" * boots
    for row, problem in zip(rows(run), problems, strict=True):
        assert (problem in row["problem"]) if problem else (row["measured_cycles"] == "1000")


def test_a_machine_that_does_not_boot_is_not_tried_for_each_program(
    run: Path, simulator: Simulator
) -> None:
    lines = compare(run, simulator=simulator(COUNTS + "import sys; sys.exit('dead')"), per_boot=8)
    assert (run / "gemmini" / "runs").read_text() == "x"
    assert [line.split(":")[0] for line in lines[:2]] == ["000_one", "001_two_b"]
    assert all("ended with code 1: dead" in line for line in lines[:2])


def test_results_need_not_be_checked(run: Path, simulator: Simulator) -> None:
    compare(run, simulator=simulator(answer(900, SILENT)), verify=False)
    assert [row["measured_cycles"] for row in rows(run)] == ["900", "900"]
    assert "#define CHECK 0" in (run / "gemmini" / "layers" / "000_one.c").read_text()


def test_what_was_measured_is_not_run_again(run: Path, simulator: Simulator) -> None:
    counting = COUNTS + answer(1000)
    ran = run / "gemmini" / "runs"
    for _ in range(2):
        compare(run, simulator=simulator(counting))
        assert ran.read_text() == "xx"
    # Another simulator, another argument, a log that is gone: measured anew.
    compare(run, simulator=simulator(counting.replace("1000", "1001")))
    assert {row["measured_cycles"] for row in rows(run)} == {"1001"}
    compare(run, simulator=simulator(counting), arguments=["-q", "{program}"])
    (run / "gemmini" / "logs" / "000_one.log").unlink()
    compare(run, simulator=simulator(counting), arguments=["-q", "{program}"])
    assert ran.read_text() == "x" * 7


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; sys.exit('no such machine')", "ended with code 1: no such machine"),
        ("import os; os.kill(os.getpid(), 11)", "ended with code -11: no message"),
        ("import subprocess; subprocess.run(['sleep', '60'])", "no answer within 1 s; ended"),
        ("print('hello')", "holds no line 'tilegrad: begin ...'"),
        ("import sys; sys.stdout.buffer.write(bytes(range(256)) * 9)", "holds no line"),
        (answer(900, ANSWER.replace("end {", "end x{")), "ends, but nothing of that"),
        (answer(900, ANSWER.replace("+ begin)", "+ begin[:-3])")), "is mangled"),
        (answer(0), "legal: cycles=N"),
        (answer(LEAST - 1), "fewer than the 128 that 8 x 8 PEs need"),
        (answer(900, ANSWER.replace("(COLD, CYCLES)", "(CYCLES,)")), "holds 1 execution (legal"),
        (answer(900, ANSWER.replace(RIGHT, "0" * 16)), "'000_one' computed a wrong result"),
        (answer(900, SILENT), "holds no result"),
        (
            answer(900, ANSWER.replace("argv[-1]", "argv[-1].replace('000_one', '001_two_b')")),
            "is of another program",
        ),
    ],
)
def test_a_failing_simulator_is_one_line_per_layer(
    run: Path, simulator: Simulator, program: str, message: str
) -> None:
    before = read_result(run)
    lines = compare(run, simulator=simulator(program), timeout=1 if "sleep" in program else 30)
    assert lines[0].startswith("000_one: ")
    assert message in lines[0]
    assert len(lines[0].splitlines()) == 1
    assert message in rows(run)[0]["problem"]
    after = read_result(run)
    assert (after.layers[0], after.measured, after.edp) == (before.layers[0], None, before.edp)


def test_a_missing_simulator_or_compiler_is_one_line(run: Path, simulator: Simulator) -> None:
    (line,) = compare(run, simulator="no-such-simulator")
    assert line.startswith("target.simulator no-such-simulator is not on PATH")
    compiler = "no-such-gcc {source} -o {program}"
    (line,) = compare(run, simulator=simulator(ANSWER), compile=compiler)
    assert line.startswith("target.compile no-such-gcc is not on PATH")
    assert not (run / "gemmini.csv").exists()


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not on PATH")
def test_programs_are_compiled_by_a_command(run: Path) -> None:
    """For this machine, as if it were Gemmini: ``env`` runs what it is given."""
    command = f"gcc -std=gnu11 -DBAREMETAL -w -I{{export}} -I'{STUB}' {{source}} -o {{program}}"
    settings = {"simulator": "env", "arguments": ["A=1", "{program}"], "per_boot": 2}
    lines = compare(run, **settings, compile=command)
    cycles = [(row["cold_cycles"], row["warm_cycles"]) for row in rows(run)]
    assert cycles == [("1500", "1000"), ("1000", "1000")], lines
    lines = compare(run, **settings, compile=f"{command} -DBROKEN_SUMS")
    assert "'000_one' computed a wrong result (checksum" in lines[0]
    assert "'001_two_b' computed a wrong result (checksum" in lines[1]
    lines = compare(run, **settings, compile=command.replace("-w", "-nonsense"))
    assert "000_one: target.compile: ended with code 1" in lines[0]


def test_a_layer_without_a_program_is_said(run: Path, simulator: Simulator) -> None:
    record = json.loads((run / "result.json").read_text())
    record["layers"][1]["problem"] = {**PROBLEM, "Wstride": 2, "Hstride": 1}
    record["layers"][1]["mapping"] = MAPPING
    (run / "result.json").write_text(json.dumps(record))
    compare(run, simulator=simulator(answer(900)))
    first, second = rows(run)
    assert (first["measured_cycles"], second["measured_cycles"]) == ("900", "")
    assert "no program" in second["problem"]


def test_other_accelerators_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"eyeriss is no Gemmini: .*legal for target=gemmini"):
        GemminiTarget().check(load_accelerator("eyeriss"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"timeout": 0}, "target.timeout is 0"),
        ({"simulator": True}, "target.simulator is True; legal: a command"),
        ({"compile": " "}, "target.compile is ' '; legal: a command, or null"),
        ({"workers": 0}, "target.workers is 0"),
        ({"per_boot": 0}, "target.per_boot is 0"),
        ({"verify": 1}, "target.verify"),
        ({"arguments": "{program}"}, "target.arguments is '{program}'; legal: a list"),
        ({"arguments": ["-x"]}, "target.arguments is .*-x.*; legal: a list of texts, {program}"),
        ({"arguments": ["{program}", "{progam}"]}, "unknown place 'progam'"),
        ({"compile": "gcc {source}"}, "target.compile is 'gcc {source}'; legal: null, or"),
        ({"compile": "gcc {source} -o '{program}"}, "No closing quotation"),
        ({"compile": "gcc {source} -o {program} -I {out}"}, "target.compile: unknown place 'out'"),
    ],
)
def test_settings_that_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        GemminiTarget(**settings)


def test_the_config_is_the_default() -> None:
    config = OmegaConf.load(config_directory() / "target" / "gemmini.yaml")
    assert list(instantiate(config).arguments) == ["{program}"]

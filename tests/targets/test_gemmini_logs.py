"""Simulators' logs: every measurement a row, anything mangled refused by file and line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tests.targets.gemmini_design import DEFAULT, LAYERS, ONE_GROUP, STUB, execute, write_result
from tilegrad.accelerator import load_accelerator
from tilegrad.cli import main
from tilegrad.errors import ConfigError, DataError
from tilegrad.targets.gemmini import export_gemmini, parse_logs
from tilegrad.targets.gemmini.record import begin_line, end_line, result_line
from tilegrad.workload import Problem

Edit = Callable[[str], str]


def begin(name: str) -> str:
    problem = Problem.from_fields(name, dict(LAYERS[name][0]))
    return begin_line("000", problem, DEFAULT, LAYERS[name][1])


def result(checksum: str) -> str:
    return f"{result_line('000', checksum)}\n"


LOG = f"""\
[UART] UART0 is here (stdin/stdout).
{begin("matrix product")}
Gemmini extension configured with dim = 16
{end_line("000", "4711")}
"""


def parse(tmp_path: Path, *logs: str, execution: str = "warm") -> pd.DataFrame:
    paths = [tmp_path / f"log{number}.txt" for number in range(len(logs))]
    for path, text in zip(paths, logs, strict=True):
        path.write_text(text)
    out = tmp_path / "measured.csv"
    rows = parse_logs(paths, load_accelerator("gemmini"), out, execution)
    assert rows == len(pd.read_csv(out))
    return pd.read_csv(out)


def test_a_measurement_is_a_row(tmp_path: Path) -> None:
    row = parse(tmp_path, LOG).iloc[0].to_dict()
    assert row.pop("layer") == 0
    assert row.pop("mapping.mapping") == LAYERS["matrix product"][1]
    assert row.pop("target.cycle") == 4711
    bounds = {"R": 1, "S": 1, "P": 128, "Q": 1, "C": 768, "K": 64, "N": 1}
    steps = {"Wstride": 1, "Hstride": 1, "Wdilation": 1, "Hdilation": 1}
    assert row == DEFAULT | {f"prob.{name}": n for name, n in (bounds | steps).items()}


def test_logs_as_simulators_leave_them(tmp_path: Path) -> None:
    """Carriage returns, prefixes, bytes that are no text, repetitions, several logs."""
    noisy = LOG.replace("\n", "\r\n").replace("tilegrad:", "core 0: tilegrad:") + "\ufffd\0\n"
    again = LOG + f"{end_line('000', '4712')}\n"
    for execution, cycles in {"all": [4711, 4712], "cold": [4711], "warm": [4712]}.items():
        found = parse(tmp_path, noisy, again, execution=execution)
        assert found["target.cycle"].tolist() == [4711, *cycles]
    with pytest.raises(ConfigError, match=r"unknown --execution 'hot' .legal: warm, cold, all"):
        parse(tmp_path, noisy, execution="hot")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda log: log[:0], "log0.txt: holds no line 'tilegrad: begin ...'"),
        (lambda log: log.splitlines()[0], "log0.txt: holds no line"),
        (lambda log: log.rsplit("tilegrad", 1)[0], "line 2: '000' begins and never ends"),
        (lambda log: log.replace("K=64", "K=65"), "line 2: the line is mangled: its text and"),
        (lambda log: log.replace("begin", "bgin"), "line 2: .* is mangled"),
        (lambda log: log.replace("end 000", "end 001"), "line 4: '001' ends, but nothing"),
        (lambda log: log.replace("cycles=4711", "cycles="), "line 4: 'cycles='"),
        (lambda log: log.replace("cycles=4711", "cycles=0"), "line 4: 'cycles=0' .legal: cycles=N"),
        (lambda log: log.replace("4711", "47x1"), "line 4: 'cycles=47x1'"),
        (lambda log: log.replace("4711", "-4"), "line 4: 'cycles=-4'"),
        (lambda log: log.replace("cycles=4711", ""), "line 4: .* is mangled"),
        (lambda log: log + result("1"), "line 5: 'checksum=1' .legal: checksum= and 16 hexa"),
        (lambda log: log + result("0" * 16), "line 2: '000' computed a wrong result"),
        (
            lambda log: log.replace(begin("matrix product"), begin("ragged product")[:100]),
            "line 2: the line is mangled",
        ),
    ],
)
def test_a_bad_log_is_refused_by_line(tmp_path: Path, edit: Edit, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse(tmp_path, edit(LOG))
    assert not (tmp_path / "measured.csv").exists()


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("L3[WIO] K64 - L2[WI] N1 - L1[O] N1 - L0[W] N1", "line 1: the mapping's factors multiply"),
        ("L1[WIO] K64 - L0[W] N1", "line 1: mapping 'L1.* has 2 levels; gemmini has 4"),
    ],
)
def test_a_log_of_another_layer_or_accelerator_is_refused(
    tmp_path: Path, mapping: str, message: str
) -> None:
    problem = Problem.from_fields("one", dict(LAYERS["matrix product"][0]))
    text = begin_line("one", problem, DEFAULT, mapping)
    with pytest.raises(DataError, match=message):
        parse(tmp_path, f"{text}\n{end_line('one', '5')}\n")
    other = begin_line("one", problem, {"pe_dim": 4}, mapping)
    with pytest.raises(DataError, match="line 1: hardware parameter accumulator_kb is missing"):
        parse(tmp_path, f"{other}\n{end_line('one', '5')}\n")


def test_missing_logs_and_odd_tables_are_refused(tmp_path: Path) -> None:
    gemmini = load_accelerator("gemmini")
    with pytest.raises(DataError, match=r"none\.txt: cannot be read .No such file"):
        parse_logs([tmp_path / "none.txt"], gemmini, tmp_path / "out.csv")
    with pytest.raises(DataError, match=r"unknown kind of table '\.xlsx' .legal: \.csv, \.parquet"):
        parse_logs([tmp_path / "none.txt"], gemmini, tmp_path / "out.xlsx")


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not on PATH")
def test_results_with_a_bias_are_right(tmp_path: Path) -> None:
    gemmini = load_accelerator("gemmini")
    biased = replace(gemmini, machine={**gemmini.machine, "bias": 1})
    names = ("ragged product", "dilated/conv")
    exported = export_gemmini(write_result(tmp_path / "run", names), biased, tmp_path)
    outputs = [execute(path, f"-I{tmp_path}", f"-I{STUB}") for path in exported.programs]
    assert all(" bias=1 " in output for output in outputs)
    assert len(parse(tmp_path, *outputs)) == 2
    with pytest.raises(DataError, match="computed a wrong result"):
        parse(tmp_path, outputs[0].replace("checksum=", "checksum=0")[:-2])


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not on PATH")
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_from_design_to_an_evaluated_table(tmp_path: Path, suffix: str) -> None:
    """Every exported program's output, in one log, becomes a table that evaluate takes."""
    result = write_result(tmp_path / "run", ONE_GROUP)
    programs = export_gemmini(result, load_accelerator("gemmini"), tmp_path).programs
    log, table = tmp_path / "log.txt", tmp_path / f"measured.{suffix}"
    log.write_text("".join(execute(path, f"-I{tmp_path}", f"-I{STUB}") for path in programs))
    assert main(["parse-log", str(log), "--out", str(table)]) == 0
    out = tmp_path / "costs.parquet"
    assert main(["evaluate", str(table), "--accelerator", "gemmini", "--out", str(out)]) == 0
    assert len(pd.read_parquet(out)) == len(ONE_GROUP)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not on PATH")
def test_tables_of_several_groups_are_refused_by_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Measured and told, but no feature of a table's rows knows groups."""
    names = ("grouped conv", "strided conv", "depthwise conv")
    result = write_result(tmp_path / "run", names)
    programs = export_gemmini(result, load_accelerator("gemmini"), tmp_path).programs
    log, table = tmp_path / "log.txt", tmp_path / "measured.csv"
    log.write_text("".join(execute(path, f"-I{tmp_path}", f"-I{STUB}") for path in programs))
    assert main(["parse-log", str(log), "--out", str(table)]) == 0
    assert pd.read_csv(table)["prob.G"].fillna(1).tolist() == [6, 1, 40]
    arguments = [
        "evaluate",
        str(table),
        "--accelerator",
        "gemmini",
        "--out",
        str(tmp_path / "x.parquet"),
    ]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert "row 1, column mapping.mapping" in said
    assert "unknown dim 'G'" in said
    assert "2 of 3 rows" in said

"""Layers of several shapes from a table to a search, its record, report and export."""

from __future__ import annotations

import json
from pathlib import Path

from tests.helpers_scripts import Command
from tests.workload.test_table_shapes import MIXED, OWN
from tilegrad.accelerator import load_accelerator
from tilegrad.cli import main
from tilegrad.targets.design import read_design
from tilegrad.workload import read_layer_table, read_timeloop_problem

RUN = ("workload=net.csv", "strategy=random", "strategy.designs=20", "progress=false", "dir=run")


def test_a_table_of_several_shapes_is_searched_reported_and_exported(
    command: Command, directory: Path
) -> None:
    (directory / "net.csv").write_text(MIXED)
    (directory / "own.yaml").write_text(OWN)
    ended = command(*RUN)
    assert ended.code == 0, ended.err
    layers = list(read_layer_table(directory / "net.csv"))
    accelerator = load_accelerator("gemmini")
    design = read_design(directory / "run", accelerator)
    assert [problem for problem, _ in design.layers] == layers
    for problem, mapping in design.layers:
        assert mapping.bounds().tolist() == list(problem.bounds)
    page = (directory / "run" / "report.html").read_text(encoding="utf-8")
    for text in ("32 groups, 3x3, 1 to 1 channels", "batched_matmul: G 12, P 64", "own: P 30, R 5"):
        assert text in page
    nests = (directory / "run" / "loop_nests.txt").read_text(encoding="utf-8")
    assert "line, 1 x: P=30 R=5 C=4 K=8 stride=3" in nests
    arguments = ["--target", "timeloop", "--out", str(directory / "out")]
    assert main(["export", str(directory / "run"), *arguments]) == 0
    folders = sorted(path for path in (directory / "out").iterdir() if path.is_dir())
    exported = [read_timeloop_problem(folder / "problem.yaml") for folder in folders]
    assert [each.signature for each in exported] == [each.signature for each in layers]


def test_a_shape_file_of_other_content_is_another_search(command: Command, directory: Path) -> None:
    (directory / "net.csv").write_text(MIXED)
    (directory / "own.yaml").write_text(OWN)
    assert command(*RUN, "report=false").code == 0
    before = json.loads((directory / "run" / "result.json").read_text())
    assert command(*RUN, "report=false").code == 0
    (directory / "own.yaml").write_text(OWN.replace("P * stride + R", "P * stride + R * 2"))
    ended = command(*RUN, "report=false")
    assert ended.code == 2
    assert "workload" in ended.err.splitlines()[-1]
    assert json.loads((directory / "run" / "result.json").read_text())["edp"] == before["edp"]

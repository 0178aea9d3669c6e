"""Timeloop problem files: the accepted forms, the refused shapes, and Timeloop's own sizes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers_published import GOLDEN
from tilegrad.shape.conv import DIMS, STRIDES
from tilegrad.workload import (
    Problem,
    load_workload,
    read_timeloop_problem,
    read_timeloop_workload,
)

FLAT = """problem:
  R: 3
  S: 5
  P: 28
  Q: 14
  C: 64
  K: 96
  N: 2
  Wstride: 2
  shape: cnn-layer
"""

SHAPE = """
  shape:
    name: CNN_Layer
    dimensions: [C, K, R, S, N, P, Q]
    coefficients:
      - {name: Wstride, default: 1}
      - {name: Hstride, default: 1}
      - {name: Wdilation, default: 1}
      - {name: Hdilation, default: 1}
    data_spaces:
      - name: Weights
        projection: [[[C]], [[K]], [[R]], [[S]]]
      - name: Inputs
        projection:
          - [[N]]
          - [[C]]
          - [[R, Wdilation], [P, Wstride]]
          - [[S, Hdilation], [Q, Hstride]]
      - name: Outputs
        projection: [[[N]], [[K]], [[Q]], [[P]]]
        read_write: True
"""
INSTANCE = "  instance: {R: 3, S: 5, P: 28, Q: 14, C: 64, K: 96, N: 2, Wstride: 2}"
INLINE = "problem:\n  version: 0.4" + SHAPE + INSTANCE + "\n"
EXPECTED = Problem("conv", (3, 5, 28, 14, 64, 96, 2), (2, 1, 1, 1))


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write_file(text: str) -> Path:
        path = tmp_path / "conv.yaml"
        path.write_text(text)
        return path

    return write_file


@pytest.mark.parametrize(
    "text",
    [
        FLAT,
        FLAT.replace("shape: cnn-layer", "shape: cnn_layer.yaml"),
        FLAT.replace("  shape: cnn-layer\n", ""),
        "problem:\n  shape: cnn-layer\n" + INSTANCE,
        "architecture: {}\n" + FLAT,
        "problem:" + SHAPE + FLAT.replace("problem:\n", "").replace("  shape: cnn-layer\n", ""),
        INLINE,
        INLINE.replace("version: 0.4", "version: '0.3'").replace("data_spaces", "data-spaces"),
        INLINE.replace("K,", "M,").replace("[K]", "[M]").replace("K: 96", "M: 96"),
        INLINE.replace("[[[C]], [[K]], [[R]], [[S]]]", "[C, K, R, S]"),
        INLINE.replace(", Wstride: 2", "").replace("Wstride, default: 1", "Wstride, default: 2"),
        INLINE.replace("[R, Wdilation]", "[R]").replace("- {name: Wdilation, default: 1}", ""),
    ],
)
def test_accepted_forms(write: Callable[[str], Path], text: str) -> None:
    assert read_timeloop_problem(write(text)) == EXPECTED


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[C, K, R, S, N, P, Q]", "[M, N, K]", ["tensor Weights", "unknown dim 'C'", "M, N, K"]),
        ("[C, K, R, S, N, P, Q]", "[C, K, R, S, N, P, Q, G]", ["no tensor has", "dim G"]),
        ("[C, K, R, S, N, P, Q]", "7", ["field dimensions", "7", "a list"]),
        ("[[N]], [[K]], [[Q]]", "[[N, Wstride]], [[K]], [[Q]]", ["Outputs", "dim N slides"]),
        ("[C, K, R, S, N, P, Q]", "[C, K, R1, S, N, P, Q]", ["'R1'", "names of letters alone"]),
        ("[[N]], [[K]], [[Q]]", "[[N], [P]], [[K]], [[Q]]", ["Outputs", "dim P is in it twice"]),
        ("[[N]]\n          - [[C]]", "[[N], [C], [K]]", ["Inputs", "N + C + K has 3 terms"]),
        (
            "        read_write: True\n",
            "        read_write: True\n      - {name: B, projection: [K]}\n",
            ["field data_spaces", "4 data spaces", "Outputs, B", "legal: 3"],
        ),
        ("[[S]]]\n", "[[S]]]\n        read_write: True\n", ["read_write", "Weights, Outputs"]),
        ("name: Outputs", "name: Inputs", ["Inputs is given twice"]),
        ("[[N]], [[K]], [[Q]]", "[[[N]]], [[K]], [[Q]]", ["Outputs", "projection term"]),
        ("      - {name: Wstride, default: 1}\n", "", ["unknown coefficient 'Wstride'"]),
        ("name: Wstride", "name: Pstride", ["unknown coefficient 'Wstride'", "nearest: Pstride"]),
        ("Wstride, default: 1", "Wstride, default: x", ["default of Wstride", "'x'"]),
        ("version: 0.4", "version: 0.9", ["unknown version 0.9", "legal: 0.2, 0.3, 0.4"]),
        ("version: 0.4", "C: 3", ["beside 'instance'", "'C'"]),
        ("K: 96", "M: 96", ["line 23", "unknown field 'M'"]),
        ("K: 96", "K: 96, densities: {Inputs: 0.5}", ["unknown field 'densities'"]),
        (", K: 96", "", ["line 23", "layer 'conv'", "field K is missing"]),
        ("K: 96", "K: 9.5", ["line 23", "layer 'conv'", "field K", "9.5"]),
        ("K: 96", "K: 0", ["line 23", "layer 'conv'", "field K", "0"]),
        (INSTANCE, "  instance: 3", ["field instance", "3", "a mapping"]),
        ("problem:", "problems:", ["not a Timeloop problem", "'problem'"]),
    ],
)
def test_refused_inline_problems(
    write: Callable[[str], Path],
    refused: Callable[..., None],
    old: str,
    new: str,
    words: list[str],
) -> None:
    assert old in INLINE
    path = write(INLINE.replace(old, new, 1))
    refused(lambda: read_timeloop_problem(path), str(path), *words)


def test_refused_flat_problems(write: Callable[[str], Path], refused: Callable[..., None]) -> None:
    gemm = write(FLAT.replace("cnn-layer", "gemm"))
    refused(lambda: read_timeloop_problem(gemm), "'gemm'", "seven-dimensional", "cnn-layer")
    padded = write(FLAT + "  Padding: 1\n")
    refused(lambda: read_timeloop_problem(padded), "line 2", "unknown field 'Padding'")
    number = write(FLAT.replace("shape: cnn-layer", "shape: 3"))
    refused(lambda: read_timeloop_problem(number), "field shape", "3", "a mapping")


def test_several_files_make_one_workload(tmp_path: Path, refused: Callable[..., None]) -> None:
    folder = tmp_path / "net.v2"
    folder.mkdir()
    refused(lambda: read_timeloop_workload(folder), "net.v2", "no Timeloop problems")
    for name, bound in (("b.yaml", 96), ("a.yml", 32), ("c.yaml", 96)):
        (folder / name).write_text(FLAT.replace("K: 96", f"K: {bound}"))
    (folder / "notes.txt").write_text("not read")
    workload = read_timeloop_workload(folder)
    assert workload.name == "net.v2"
    assert [(layer.name, layer.count) for layer in workload] == [("a", 1), ("b", 2)]
    assert load_workload(path=str(folder)) == workload
    chosen = read_timeloop_workload([folder / "c.yaml", folder / "a.yml"], name="two")
    assert (chosen.name, [layer.name for layer in chosen]) == ("two", ["c", "a"])


def test_golden_problems_have_timeloops_bounds_and_sizes() -> None:
    table = pd.read_parquet(GOLDEN / "golden.parquet")
    layers = table.drop_duplicates(["arch", "layer"])
    assert len(layers) == 24
    for row in layers.to_dict("records"):
        problem = read_timeloop_problem(GOLDEN / row["arch"] / "problems" / f"{row['layer']}.yaml")
        assert problem.bounds == tuple(row[dim] for dim in DIMS)
        assert problem.strides == tuple(row[name] for name in STRIDES)
        assert problem.macs == row["computes"]
        dram = json.loads(row["levels_json"])[0]["tensors"]
        sizes = {tensor: counts["partition_size"] for tensor, counts in dram.items()}
        assert problem.tensor_sizes() == sizes

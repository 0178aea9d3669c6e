"""Layer tables with rows of several shapes: read, and refused by file, line and field."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tilegrad.shape import packaged_shape, packaged_shapes, read_shape
from tilegrad.shape.conv import CONV, GROUPED
from tilegrad.workload import Problem, read_layer_table

OWN = "dims: [P, R, C, K]\ncoefficients: {stride: 2}\ntensors:\n"
OWN += "  Weights: [R, C, K]\n  Inputs: [C, P * stride + R]\n  Outputs: [K, P]\n"
MIXED = """layer,shape,R,S,P,Q,C,K,G,stride,count
plain,,3,3,8,8,4,16,,,2
depthwise,conv,3,3,8,8,1,1,32,,1
scores,batched_matmul,,,64,,32,64,12,,1
line,own.yaml,5,,30,,4,8,,3,1
"""


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    (tmp_path / "own.yaml").write_text(OWN)

    def write(text: str, name: str = "net.csv") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def expected(folder: Path) -> list[Problem]:
    own = read_shape(folder / "own.yaml")
    batched = packaged_shape("batched_matmul")
    return [
        Problem("plain", (3, 3, 8, 8, 4, 16, 1), count=2, shape=CONV),
        Problem("depthwise", (3, 3, 8, 8, 1, 1, 1, 32), shape=GROUPED),
        Problem("scores", (12, 64, 32, 64), shape=batched),
        Problem("line", (30, 5, 4, 8), (3,), shape=own),
    ]


def test_rows_of_several_shapes(table: Callable[..., Path]) -> None:
    path = table(MIXED)
    workload = read_layer_table(path)
    assert list(workload) == expected(path.parent)
    assert [layer.count for layer in workload] == [2, 1, 1, 1]


def test_a_yaml_table_describes_its_own_shapes(table: Callable[..., Path]) -> None:
    path = table(
        f"shapes:\n  own:\n{''.join(f'    {line}' + chr(10) for line in OWN.splitlines())}"
        "layers:\n"
        "- {layer: plain, R: 3, S: 3, P: 8, Q: 8, C: 4, K: 16, count: 2}\n"
        "- {layer: depthwise, R: 3, S: 3, P: 8, Q: 8, C: 1, K: 1, G: 32}\n"
        "- {layer: scores, shape: batched_matmul, P: 64, C: 32, K: 64, G: 12, Q: }\n"
        "- {layer: line, shape: own, R: 5, P: 30, C: 4, K: 8, stride: 3}\n",
        "net.yaml",
    )
    assert list(read_layer_table(path)) == expected(path.parent)


@pytest.mark.parametrize("name", packaged_shapes())
def test_a_table_of_any_packaged_shape(table: Callable[..., Path], name: str) -> None:
    shape = packaged_shape(name)
    sizes = {field: number for number, field in enumerate(shape.fields, start=2)}
    header, cells = ",".join(sizes), ",".join(map(str, sizes.values()))
    (layer,) = read_layer_table(table(f"layer,shape,{header}\na,{name},{cells}\n"))
    assert layer.shape == shape
    assert layer.as_dict() == sizes


def test_strides_that_a_row_does_not_give_are_the_shapes_own(table: Callable[..., Path]) -> None:
    (layer,) = read_layer_table(table("layer,shape,P,R,C,K\nline,own.yaml,30,5,4,8\n"))
    assert layer.as_dict()["stride"] == 2


def test_an_empty_dim_that_is_optional_is_1(table: Callable[..., Path]) -> None:
    scores = read_layer_table(table(MIXED.replace("64,12,", "64,,"))).layers[2]
    assert scores.as_dict() == {"G": 1, "P": 64, "C": 32, "K": 64}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("conv,3", "cnov,3", ["line 3, field shape", "unknown shape 'cnov'", "nearest: conv"]),
        ("own.yaml", "no.yaml", ["no.yaml", "no such file"]),
        (",,,64,,", ",,7,64,,", ["line 4", "'scores'", "unknown field 'S'", "legal: G, P, C, K"]),
        (",,,64,,", ",,,,,", ["line 4", "'scores'", "field P is missing"]),
        ("3,3,8,8,4,16,,,2", "3,3,8,8,4,,,,2", ["line 2", "'plain'", "field K is missing"]),
        (",G,stride", ",G,strid", ["line 1", "unknown column 'strid'", "nearest: stride"]),
        ("S,P", "N,P", ["line 1", "column S is missing"]),
    ],
)
def test_malformed_rows(
    table: Callable[..., Path], refused: Callable[..., None], old: str, new: str, words: list[str]
) -> None:
    path = table(MIXED.replace(old, new, 1))
    refused(lambda: read_layer_table(path), *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("shapes: 3\nlayers: []\n", ["field shapes", "3", "a mapping"]),
        ("shapes: {conv: {}}\nlayers: []\n", ["shape 'conv'", "legal: another"]),
        ("shapes: {own: {dims: [P]}}\nlayers: []\n", ["net.yaml, shape 'own'", "field tensors"]),
        ("- {layer: a, shape: [1], P: 3}\n", ["line 1, field shape", "unknown shape"]),
    ],
)
def test_malformed_shapes_of_a_yaml_table(
    table: Callable[..., Path], refused: Callable[..., None], text: str, words: list[str]
) -> None:
    path = table(text, "net.yaml")
    refused(lambda: read_layer_table(path), "net.yaml", *words)

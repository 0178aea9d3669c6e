"""Shapes from YAML: what they become, and every refusal by its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tilegrad.errors import WorkloadError
from tilegrad.shape import Axis, Shape, Term, build_shape, load_shape, packaged_shapes, read_shape

STRIDED: dict[str, Any] = {
    "name": "strided",
    "dims": ["x", "f", "k"],
    "coefficients": {"stride": 2, "hole": 1},
    "tensors": {
        "Weights": ["f", "k"],
        "Inputs": ["x * stride + hole * f"],
        "Outputs": ["x", "k"],
    },
}


def tensors(**changed: object) -> dict[str, Any]:
    return {"tensors": {**STRIDED["tensors"], **changed}}


def build(**changed: object) -> Shape:
    return build_shape({**STRIDED, **changed}, "own.yaml")


def test_a_description_becomes_a_shape() -> None:
    shape = build(optional=["k"], left_out=["k"])
    assert shape.axes[1] == (Axis((Term(0, "stride"), Term(1, "hole"))),)
    assert shape.fields == ("x", "f", "k", "stride", "hole")
    assert shape.required == ("x", "f")
    assert [shape.default(field) for field in shape.fields] == [1, 1, 1, 2, 1]
    assert shape.left_out == ("k",)


@pytest.mark.parametrize("text", ["x * 3", "3 * x"])
def test_a_number_stands_on_either_side(text: str) -> None:
    assert build(**tensors(Inputs=[text, "f"])).axes[1][0] == Axis((Term(0, 3),))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"dim": ["x"]}, "own.yaml: unknown field 'dim' (legal: name, dims, "),
        ({"dims": None}, "own.yaml, field dims: None is not legal (legal: a list)"),
        ({"dims": []}, "own.yaml, field dims: [] is not legal (legal: a list)"),
        ({"dims": "xf"}, "own.yaml, field dims: 'xf' is not legal (legal: a list)"),
        ({"dims": ["x", "f", "k1"]}, "field dims: 'k1'; legal: names of letters alone"),
        ({"dims": ["x", "f", 3]}, "field dims: 3; legal: names of letters alone"),
        ({"dims": ["x", "f", "é"]}, "field dims: 'é'; legal: names of letters alone"),
        ({"dims": ["x", "f", "x"]}, "field dims: x is given twice; legal: once"),
        ({"coefficients": [1]}, "field coefficients: [1] is not legal (legal: a mapping)"),
        ({"coefficients": {"s": 0}}, "field coefficients.s: 0; legal: an integer >= 1"),
        ({"coefficients": {"s": True}}, "field coefficients.s: True; legal: an integer >= 1"),
        ({"coefficients": {"s": 1.5}}, "field coefficients.s: 1.5; legal: an integer >= 1"),
        ({"coefficients": {"x": 1}}, "field coefficients: 'x'; legal: names of no dim"),
        ({"coefficients": {"a b": 1}}, "field coefficients: 'a b'; legal: names of no dim"),
        ({"tensors": None}, "field tensors: none; legal: Weights, Inputs, Outputs"),
        ({"tensors": {"Inputs": ["x"]}}, "field tensors: Inputs; legal: Weights, Inputs, Outputs"),
        (tensors(Weights=None), "field Weights: None is not legal (legal: a list)"),
        (tensors(Weights=["fk"]), "tensor Weights: unknown dim 'fk' (legal: x, f, k"),
        (tensors(Weights=["f k"]), "tensor Weights: 'f k' is no index; legal: a dim, or a sum"),
        (tensors(Weights=["f - k"]), "tensor Weights: 'f - k' is no index; legal: a dim, or a"),
        (tensors(Weights=["f * 0"]), "tensor Weights: 'f * 0' is no index"),
        (tensors(Weights=["f * True"]), "tensor Weights: 'f * True' is no index"),
        (tensors(Weights=["f * 1.5"]), "tensor Weights: 'f * 1.5' is no index"),
        (tensors(Weights=["f + 2"]), "tensor Weights: 'f + 2' is no index"),
        (tensors(Weights=[3]), "tensor Weights: '3' is no index"),
        (
            tensors(Weights=["f * strid", "k"]),
            "tensor Weights: unknown coefficient 'strid' (legal: stride, hole; nearest: stride)",
        ),
        (tensors(Weights=["stride * y"]), "tensor Weights: unknown dim 'y' (legal: x, f, k)"),
        (
            tensors(Inputs=["x + f + k"]),
            "shape 'strided', tensor Inputs: the axis x + f + k has 3 terms; legal: at most 2",
        ),
        (
            tensors(Inputs=["x * stride + 2 * f + k"]),
            "the axis x * stride + f * 2 + k has 3 terms",
        ),
        (tensors(Inputs=["x", "f + x"]), "tensor Inputs: dim x is in it twice; legal: once"),
        (tensors(Inputs=["f + f"]), "tensor Inputs: dim f is in it twice; legal: once"),
        (
            tensors(Outputs=["x + k"]),
            "tensor Outputs: dim x slides along it; legal: axes of one dim each, without a",
        ),
        (tensors(Outputs=["k", "x * 2"]), "tensor Outputs: dim x slides along it"),
        (
            {"dims": ["x", "f", "k", "z"]},
            "shape 'strided': no tensor has the dim z; legal: dims of some",
        ),
        ({"optional": ["y"]}, "own.yaml, field optional: unknown dim 'y' (legal: x, f, k)"),
        ({"optional": "k"}, "own.yaml, field optional: 'k' is not legal (legal: a list)"),
        ({"left_out": ["y"]}, "own.yaml, field left_out: unknown dim 'y' (legal: x, f, k)"),
        ({"like": {"y": "P"}}, "own.yaml, field like: unknown dim 'y' (legal: x, f, k)"),
        ({"like": {"x": "B"}}, "own.yaml, like.x: unknown kind 'B' (legal: R, S, P, Q, C, K, N"),
        ({"name": None}, "own.yaml, field name: None is not legal (legal: a text)"),
    ],
)
def test_refusals(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(WorkloadError) as refused:
        build(**changed)
    assert words in str(refused.value)


def test_a_file_gives_its_name(tmp_path: Path) -> None:
    described = {name: value for name, value in STRIDED.items() if name != "name"}
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(described))
    assert read_shape(path).name == "own"
    assert load_shape(str(path)) == read_shape(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for text, words in (("dims: [", "YAML"), ("- x", "holds no fields"), ("a: 1", "field 'a'")):
        path = tmp_path / "own.yaml"
        path.write_text(text)
        with pytest.raises(WorkloadError, match=words) as refused:
            read_shape(path)
        assert str(path) in str(refused.value)
    with pytest.raises(WorkloadError, match="no such file"):
        load_shape(str(tmp_path / "absent.yml"))


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(WorkloadError, match=r"unknown shape 'convd' \(legal: .*nearest: conv3d\)"):
        load_shape("convd")


def test_packaged_shapes_bear_their_files_names() -> None:
    assert [load_shape(name).name for name in packaged_shapes()] == list(packaged_shapes())
    assert {"conv", "matmul", "batched_matmul", "conv3d"} < set(packaged_shapes())

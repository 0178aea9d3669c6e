"""Shapes described as plain data, and read back."""

from __future__ import annotations

import json

import pytest

from tilegrad.errors import WorkloadError
from tilegrad.shape import Shape, build_shape, packaged_shape, packaged_shapes
from tilegrad.shape.conv import CONV

OWN = build_shape(
    {
        "name": "line",
        "dims": ["row", "P", "R", "out"],
        "coefficients": {"step": 2},
        "tensors": {
            "Weights": ["R", "out", "row"],
            "Inputs": ["P * step + R * 3", "row"],
            "Outputs": ["out", "P"],
        },
        "optional": ["row"],
        "like": {"P": "N", "row": "S"},
    },
    "own",
)


@pytest.mark.parametrize(
    "shape", [*map(packaged_shape, packaged_shapes()), CONV, OWN], ids=lambda shape: shape.name
)
def test_a_description_reads_back(shape: Shape) -> None:
    described = shape.described()
    assert build_shape(json.loads(json.dumps(described)), "here") == shape
    assert build_shape(described, "here").letters == shape.letters


def test_what_makes_no_shape_is_said_of_its_file() -> None:
    stated = OWN.described()
    stated["tensors"]["Inputs"] = ["P * step + R + row"]
    with pytest.raises(WorkloadError, match=r"^net\.yaml: shape 'line', tensor Inputs.* 3 terms"):
        build_shape(stated, "net.yaml")

"""Layers as Timeloop problems with the CNN layer's shape written out."""

from __future__ import annotations

from typing import Any

from tilegrad.shape.conv import DIMS, STRIDES
from tilegrad.workload import Problem

_ROWS = [["R", "Wdilation"], ["P", "Wstride"]]
_COLUMNS = [["S", "Hdilation"], ["Q", "Hstride"]]
_AXES: dict[str, list[list[list[str]]]] = {
    "Weights": [[["C"]], [["K"]], [["R"]], [["S"]]],
    "Inputs": [[["N"]], [["C"]], _ROWS, _COLUMNS],
    "Outputs": [[["N"]], [["K"]], [["Q"]], [["P"]]],
}


def problem_document(problem: Problem, dialect: str) -> dict[str, Any]:
    """Return the problem of one layer in version 0.3 or 0.4."""
    dash = "-" if dialect == "0.3" else "_"
    spaces: list[dict[str, Any]] = [{"name": n, "projection": axes} for n, axes in _AXES.items()]
    spaces[-1][f"read{dash}write"] = True
    shape = {
        "name": "CNN-Layer",
        "dimensions": list(DIMS),
        "coefficients": [{"name": name, "default": 1} for name in STRIDES],
        f"data{dash}spaces": spaces,
    }
    version = {} if dialect == "0.3" else {"version": "0.4"}
    return {"problem": {**version, "shape": shape, "instance": problem.as_dict()}}

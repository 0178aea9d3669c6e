"""What an exact search leaves to check: boxes that cover the hardware, and what bounds each.

``tilegrad verify`` reads it; docs/proof.md says what its fields mean.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from tilegrad.files import write_json
from tilegrad.record import RESULT
from tilegrad.search.exact.supported import by_layer
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState

CERTIFICATE = "certificate.json"

FORMAT = 2
"""Goes up when a field changes its meaning."""


def write_certificate(directory: Path, problem: SearchProblem, state: SearchState) -> None:
    """Write the certificate beside result.json, whose content it names; remove an older one.

    Nothing is written where a search or its proof has not ended.
    """
    path = directory / CERTIFICATE
    cells = state.private.get("closed", state.cells)
    if not state.done or not cells:
        path.unlink(missing_ok=True)
        return
    content = {
        "format": FORMAT,
        "mapspace": mapspace(problem),
        "objective": problem.objective.name,
        "value": state.value,
        "bound": state.bound,
        "gap": state.gap,
        "cells": [_cell(each) for each in cells],
        "result": sha256((directory / RESULT).read_bytes()).hexdigest(),
    }
    write_json(path, {**content, "digest": digest(content)})


def mapspace(problem: SearchProblem) -> dict[str, Any]:
    """Return what designs the bound is of."""
    hardware, goal = problem.hardware, problem.goal
    return {
        "accelerator": problem.accelerator.name,
        "workload": problem.workload.name,
        "padding": "none",
        "orders": "all" if by_layer(problem) else "candidates",
        "fixed": dict(hardware.fixed),
        "caps": {**hardware.caps, "area_mm2": hardware.area_cap, **problem.caps.given},
        "rule": goal.rule,
        "weights": goal.weights.tolist(),
        "own": goal.own.tolist(),
    }


def _cell(cell: dict[str, Any]) -> dict[str, Any]:
    ends = {name: [float(low), float(high)] for name, (low, high) in cell["ends"].items()}
    return {"ends": ends, "bound": cell["bound"], "shown": cell["shown"]}


def digest(content: dict[str, Any]) -> str:
    """Return what tells contents apart."""
    return sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()

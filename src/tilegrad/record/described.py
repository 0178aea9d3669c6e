"""A workload as plain data, for configs that hold a network instead of naming one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tilegrad.record.shapes import read_stated, stated_shape
from tilegrad.workload import Coverage, LeftOut, Problem, Workload

TARGET = "tilegrad.record.described.described_workload"


def describe_workload(workload: Workload) -> dict[str, Any]:
    """Return what ``described_workload`` reads, with its ``_target_``."""
    layers = [
        {
            "layer": layer.name,
            "count": layer.count,
            "also": list(layer.also),
            **stated_shape(layer.shape),
            "sizes": layer.as_dict(),
        }
        for layer in workload
    ]
    coverage = None if workload.coverage is None else asdict(workload.coverage)
    return {"_target_": TARGET, "name": workload.name, "layers": layers, "coverage": coverage}


def described_workload(
    name: str, layers: Sequence[Mapping[str, Any]], coverage: Mapping[str, Any] | None = None
) -> Workload:
    """Return the workload that ``describe_workload`` described."""
    return Workload(
        name, tuple(map(_layer, layers)), None if coverage is None else _known(coverage)
    )


def _layer(stated: Mapping[str, Any]) -> Problem:
    shape = read_stated(stated.get("shape"))
    layer = Problem.from_fields(stated["layer"], stated["sizes"], stated["count"], shape=shape)
    also = tuple(stated["also"])
    return Problem(layer.name, layer.bounds, layer.strides, layer.count, also, layer.shape)


def _known(stated: Mapping[str, Any]) -> Coverage:
    left_out = tuple(LeftOut(**each) for each in stated["left_out"])
    return Coverage(**{**stated, "left_out": left_out, "notes": tuple(stated["notes"])})

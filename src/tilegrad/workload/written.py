"""Layers written as a table that ``read_layer_table`` reads."""

from __future__ import annotations

import csv
from pathlib import Path

import yaml

from tilegrad.shape import packaged_shape, packaged_shapes
from tilegrad.shape.conv import CONV, GROUPED
from tilegrad.workload.problem import Problem

SHAPE_FILE = "shape.yaml"


def write_layer_table(layer: Problem, path: Path) -> None:
    """Write a table of one layer; a shape that is not packaged goes into a file beside it."""
    named = {}
    if layer.shape in map(packaged_shape, packaged_shapes()) and layer.shape != GROUPED:
        named["shape"] = layer.shape.name
    elif layer.shape not in (CONV, GROUPED):
        named["shape"] = SHAPE_FILE
        body = yaml.safe_dump(layer.shape.described(), sort_keys=False, width=100)
        path.with_name(SHAPE_FILE).write_text(body, encoding="utf-8")
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["layer", *named, *layer.shape.fields])
        table.writerow([layer.name, *named.values(), *layer.as_dict().values()])

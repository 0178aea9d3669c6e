"""Gemmini with other expressions for its sizes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import yaml

from tilegrad.accelerator import Accelerator, build_accelerator
from tilegrad.paths import config_directory


def template(
    accumulator: object, scratchpad: object, across: object = "pe_dim", down: object = "pe_dim"
) -> Accelerator:
    """Return Gemmini with other expressions for its sizes; areas and bandwidths as plain numbers.

    Words are large, so that tiny layers need whole kilobytes; ``other`` is one parameter more.
    """
    text = (config_directory() / "accelerator" / "gemmini.yaml").read_text(encoding="utf-8")
    described: dict[str, Any] = deepcopy(yaml.safe_load(text)["accelerator"])
    del described["_target_"], described["table"]
    described["parameters"]["other"] = {"min": 1}
    registers, columns, rows, _ = described["levels"]
    columns |= {"capacity_kb": accumulator, "word_bits": 2048, "area_mm2": 0.01}
    rows |= {"capacity_kb": scratchpad, "word_bits": 1024, "area_mm2": 0.01, "block": 1}
    rows["bandwidth"] = {"shared": 8}
    columns["fanout"]["X"]["width"], rows["fanout"]["X"]["width"] = across, down
    for level in (registers, columns):
        del level["instances"]
    return build_accelerator(**described)

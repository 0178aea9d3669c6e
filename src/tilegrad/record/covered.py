"""What a record says of the operators of a network beside its layers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import Field

from tilegrad.record.values import Number, Part, Text
from tilegrad.workload import Coverage


class LeftOutOperator(Part):
    """An operator that is not mapped: how often, over how many elements in all, and why."""

    operator: Text
    times: Number
    elements: Number
    reason: Text
    macs: Number | None = Field(
        0, description="multiply-accumulates in all; null where they are not known"
    )


class Covered(Part):
    """How much of a network is mapped: ``macs`` are those of all executions of its layers."""

    macs: Number
    share: Number = Field(description="of the network's known multiply-accumulates")
    left_out: tuple[LeftOutOperator, ...] = ()
    notes: tuple[Text, ...] = Field((), description="what was assumed of the network")


def stated_coverage(coverage: Coverage | None) -> dict[str, Any]:
    """Return the field ``coverage`` of a record; none where nothing is known beside the layers."""
    if coverage is None:
        return {}
    left_out = [asdict(each) for each in coverage.left_out]
    return {
        "coverage": {
            "macs": coverage.macs,
            "share": coverage.share,
            "left_out": left_out,
            "notes": coverage.notes,
        }
    }

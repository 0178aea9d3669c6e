"""What is odd about a table of measurements: repeated rows, single ones, sums that disagree."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tilegrad.schedules.identity import group
from tilegrad.schedules.schedules import Finding
from tilegrad.tables.faults import FaultTally
from tilegrad.tables.rows import Rows

PRINTED = 1e-4
"""Relative difference of two values that are one value printed to a few digits."""


def fault_findings(faults: FaultTally) -> list[Finding]:
    """Return one finding for each kind of fault; those rows are left out."""
    return [
        Finding(rule, count, str(faults.first[rule]), left_out=True)
        for rule, count in faults.counts.most_common()
    ]


def repeated(rows: Rows) -> tuple[Tensor, list[Finding]]:
    """Return which rows ``[row]`` repeat an earlier one, and what to say of them.

    A repetition has the hardware, layer and mapping of an earlier row, and its targets up to the
    digits printed. Rows measured again with another outcome are not marked, only reported.
    """
    texts = {text: number for number, text in enumerate(dict.fromkeys(rows.texts))}
    mapping = torch.tensor([[texts[text]] for text in rows.texts], dtype=torch.float64)
    hardware = [values.unsqueeze(1) for values in rows.hardware.values()]
    ids, first = group(torch.cat([rows.bounds, rows.strides, *hardware, mapping], 1))
    again = first[ids] != torch.arange(len(rows))
    same = torch.ones(len(rows), dtype=torch.bool)
    for values in rows.references.values():
        earlier = values[first[ids]]
        same &= ((values - earlier).abs() <= PRINTED * earlier) | values.isnan() & earlier.isnan()
    findings = [
        *_finding("row repeats an earlier one", again & same, rows, left_out=True),
        *_finding(
            "row measures an earlier one's schedule with another outcome", again & ~same, rows
        ),
    ]
    return again & same, findings


def single(layer: Tensor, names: Sequence[str]) -> list[Finding]:
    """Return the layers with one row, which no row can be ranked against."""
    counts = torch.bincount(layer, minlength=len(names))
    alone = (counts == 1).nonzero().flatten().tolist()
    if not alone:
        return []
    return [Finding("layer has one row", len(alone), names[alone[0]])]


def inconsistent(rows: Rows) -> list[Finding]:
    """Return the rows whose EDP is not latency times energy, all being given."""
    if not {"latency", "energy", "edp"} <= set(rows.references):
        return []
    product = rows.references["latency"] * rows.references["energy"]
    off = (rows.references["edp"] / product - 1).abs() > PRINTED
    return _finding("EDP is not latency times energy (mixed units?)", off, rows)


def _finding(what: str, marked: Tensor, rows: Rows, left_out: bool = False) -> list[Finding]:
    places = marked.nonzero().flatten().tolist()
    if not places:
        return []
    return [Finding(what, len(places), f"row {int(rows.number[places[0]])}", left_out)]

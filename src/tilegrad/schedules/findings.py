"""What is odd about a table of measurements: rows without one, repeated, single, impossible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from tilegrad.mapping import LoopNest
from tilegrad.schedules.identity import group
from tilegrad.schedules.schedules import Finding
from tilegrad.tables.faults import Fault, FaultTally
from tilegrad.tables.rows import TableRows, others
from tilegrad.tables.table_layout import TableLayout

PRINTED = 1e-4
"""Relative difference of two values that are one value printed to a few digits."""


def measured(rows: TableRows, layout: TableLayout, faults: list[Fault]) -> TableRows:
    """Return the rows whose targets are all there and agree; the others are added to ``faults``.

    Where latency, energy and EDP are all given, EDP is the product of the two.
    """
    columns = {quantity.name: quantity.reference for quantity in layout.references}
    for name, column in columns.items():
        absent = rows.references[name].isnan().nonzero().flatten().tolist()
        rule = f"{name} is absent"
        reason = "the cell is empty (legal: a number > 0)"
        faults += [Fault(int(rows.number[place]), column, rule, reason) for place in absent]
        rows = rows.keep(others(len(rows), absent))
    if {"latency", "energy", "edp"} <= set(columns):
        rows = _agreeing(rows, columns, layout, faults)
    return rows


def _agreeing(
    rows: TableRows, columns: Mapping[str, str], layout: TableLayout, faults: list[Fault]
) -> TableRows:
    latency, energy, edp = (rows.references[name] for name in ("latency", "energy", "edp"))
    ratio = edp / (latency * energy)
    off = ((ratio - 1).abs() > PRINTED).nonzero().flatten().tolist()
    scale = next(quantity.scale for quantity in layout.references if quantity.name == "edp")
    legal = f"{columns['latency']} * {columns['energy']} / {scale:g}, in cycles and uJ"
    rule = "EDP is not latency times energy (mixed units?)"
    faults += [
        Fault(
            int(rows.number[place]),
            columns["edp"],
            rule,
            f"{float(edp[place]) / scale:.7g} is {float(ratio[place]):.4g} times what latency and "
            f"energy make (legal: {legal})",
        )
        for place in off
    ]
    return rows.keep(others(len(rows), off))


def fault_findings(faults: FaultTally) -> list[Finding]:
    """Return one finding for each kind of fault; those rows are left out."""
    return [
        Finding(rule, count, str(faults.first[rule]), left_out=True)
        for rule, count in faults.counts.most_common()
    ]


def repeated(rows: TableRows, left_out: bool) -> tuple[Tensor, list[Finding]]:
    """Return which rows ``[row]`` repeat an earlier one, and what to say of them.

    A repetition has the hardware, layer, mapping and call of an earlier row, and its targets up to
    the digits printed. Rows measured again with another outcome are not marked, only reported.
    """
    ran = list(zip(rows.texts, *rows.others.values(), strict=True))
    numbers = {program: number for number, program in enumerate(dict.fromkeys(ran))}
    mapping = torch.tensor([[numbers[program]] for program in ran], dtype=torch.float64)
    hardware = [values.unsqueeze(1) for values in rows.hardware.values()]
    ids, first = group(torch.cat([rows.bounds, rows.strides, *hardware, mapping], 1))
    again = first[ids] != torch.arange(len(rows))
    same = torch.ones(len(rows), dtype=torch.bool)
    for values in rows.references.values():
        earlier = values[first[ids]]
        same &= (values - earlier).abs() <= PRINTED * earlier
    return again & same, [
        *_finding("row repeats an earlier one", again & same, rows, left_out),
        *_finding("row repeats an earlier one with another outcome", again & ~same, rows),
    ]


def impossible(rows: TableRows, nests: LoopNest) -> list[Finding]:
    """Return the rows that took fewer cycles than their mapping has steps of arithmetic."""
    if "latency" not in rows.references:
        return []
    steps = nests.temporal.flatten(1).prod(1)
    short = rows.references["latency"] < (1 - PRINTED) * steps
    return _finding("latency is below the mapping's own steps (not in cycles?)", short, rows)


def single(layer: Tensor, names: Sequence[str]) -> list[Finding]:
    """Return the layers with one row, which no row can be ranked against."""
    counts = torch.bincount(layer, minlength=len(names))
    alone = (counts == 1).nonzero().flatten().tolist()
    return [Finding("layer has one row only", len(alone), names[alone[0]])] if alone else []


def _finding(what: str, marked: Tensor, rows: TableRows, left_out: bool = False) -> list[Finding]:
    places = marked.nonzero().flatten().tolist()
    if not places:
        return []
    return [Finding(what, len(places), f"row {int(rows.number[places[0]])}", left_out)]

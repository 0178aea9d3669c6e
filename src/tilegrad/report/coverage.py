"""What of a network is not mapped: said with every result, operator by operator."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from tilegrad.record import Covered, LeftOutOperator, Result
from tilegrad.report.engineering import counted, percent

NOT_MAPPED = ("why", "operators, how often", "elements", "MACs")


def coverage_rows(result: Result) -> dict[str, str]:
    """Return how much of the network the layers are, and what was assumed of it."""
    found = result.coverage
    if found is None:
        return {}
    notes = {"assumed": "; ".join(found.notes)} if found.notes else {}
    return {"mapped": _mapped(found), **notes}


def _mapped(found: Covered) -> str:
    unknown = [each.operator for each in found.left_out if each.macs is None]
    beside = f", beside those of {', '.join(unknown)}, which are not known" if unknown else ""
    return f"{percent(found.share)} of the MACs ({counted(found.macs)}){beside}"


def left_out_rows(result: Result) -> list[tuple[str, ...]]:
    """Return one row of texts for each reason, with its operators; see ``NOT_MAPPED``."""
    reasons: dict[str, list[LeftOutOperator]] = {}
    for each in result.coverage.left_out if result.coverage else ():
        reasons.setdefault(each.reason, []).append(each)
    return [
        (
            reason,
            ", ".join(f"{each.operator} {each.times}" for each in operators),
            counted(sum(each.elements for each in operators)),
            _macs(operators),
        )
        for reason, operators in reasons.items()
    ]


def left_out_table(result: Result) -> Table | None:
    """Return the table of ``left_out_rows``, or None where nothing is left out."""
    rows = left_out_rows(result)
    if not rows:
        return None
    table = Table(title="not mapped", show_lines=True)
    for heading in NOT_MAPPED:
        numeric = heading in NOT_MAPPED[2:]
        table.add_column(heading, overflow="fold", justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _macs(operators: list[LeftOutOperator]) -> str:
    if any(each.macs is None for each in operators):
        return "unknown"
    return counted(sum(each.macs or 0 for each in operators))

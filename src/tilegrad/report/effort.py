"""How long the end of a run takes, for searches that have only so many seconds."""

from __future__ import annotations

from tilegrad.report.foremost import MOST

RECORD_SECONDS = 0.002
"""What a layer takes in the record, written and printed, on one processor of 2 to 3 GHz."""

REPORT_SECONDS, SHOWN_SECONDS = 2.0, 0.04
"""What a report takes, and each layer that it shows."""


def finishing_seconds(layers: int, report: bool) -> float:
    """Return about how many seconds the record of so many layers takes, and its report."""
    shown = REPORT_SECONDS + SHOWN_SECONDS * min(layers, MOST) if report else 0.0
    return RECORD_SECONDS * layers + shown

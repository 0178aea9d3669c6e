"""Figures of a target beside a run's own: the table, and what it comes to."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tilegrad.files import write_text

Row = Mapping[str, Any]


def percent(ours: float, theirs: float) -> float | None:
    """Return by how much our figure is above theirs [%]; None where theirs is nothing."""
    return round(100 * (ours / theirs - 1), 6) if theirs else None


def disagreements(rows: Sequence[Row], quantities: Mapping[str, str], whom: str) -> list[str]:
    """Return a line for each quantity that is known; the values name the errors' columns."""
    lines = []
    for quantity, column in quantities.items():
        errors = [row.get(column) for row in rows]
        known = [abs(error) for error in errors if error is not None]
        if known:
            lines.append(
                f"{quantity}: {len(known)} of {len(rows)} layers compared with {whom}, "
                f"largest disagreement {max(known):.4g} %"
            )
    return lines


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Write the rows as CSV; what a row lacks stays empty."""
    text = io.StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(path, text.getvalue())

"""Tables on the terminal without a word cut short."""

from __future__ import annotations

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_WIDEST = 10_000


def print_whole(console: Console, table: Table) -> None:
    """Print a table, wider than the console where a word of it would be cut otherwise."""
    options = console.options.update(max_width=_WIDEST)
    least = Measurement.get(console, options, table).minimum
    console.width = max(console.width, least)
    console.print(table)

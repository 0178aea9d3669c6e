"""Energies and areas made with public tools, as numbers; each file says how it was made."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files


@cache
def read_figures(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of ``NAME.csv``; lines that begin with # say where they are from."""
    text = (files(__name__) / f"{name}.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return tuple(csv.DictReader(lines))

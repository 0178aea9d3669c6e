"""The curve of a search, read back: history.csv."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tilegrad.errors import DataError

HISTORY = "history.csv"
COLUMNS = ("samples", "seconds", "edp")
PROVEN = ("value", "bound")


@dataclass(frozen=True)
class History:
    """EDP (uJ*cycles) of the best design, by the objective, after so many samples and seconds.

    ``value`` is its objective and ``bound`` what was proven of that (0: nothing yet); both empty
    where a search proves nothing.
    """

    samples: tuple[float, ...]
    seconds: tuple[float, ...]
    edp: tuple[float, ...]
    value: tuple[float, ...] = ()
    bound: tuple[float, ...] = ()


def read_history(directory: Path) -> History:
    """Read ``history.csv``; ``DataError`` names the file, the row and the field that is wrong."""
    path = directory / HISTORY
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            header, *rows = list(csv.reader(lines)) or [[]]
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: is not a CSV table: {error}") from None
    _check_header(header, path)
    if not rows:
        raise DataError(f"{path}: has no rows (legal: at least one)")
    numbered = [_numbers(row, header, f"{path}, row {n}") for n, row in enumerate(rows, start=1)]
    columns = dict(zip(header, zip(*numbered, strict=True), strict=True))
    _check_ascending(columns["samples"], path)
    return History(**columns)


def _check_header(header: Sequence[str], path: Path) -> None:
    if tuple(header) not in (COLUMNS, (*COLUMNS, *PROVEN)):
        raise DataError(
            f"{path}: the columns are {', '.join(header) or 'absent'} (legal: "
            f"{', '.join(COLUMNS)}), of a search that proves something {', '.join(PROVEN)} too"
        )


def _numbers(row: Sequence[str], columns: Sequence[str], where: str) -> tuple[float, ...]:
    if len(row) != len(columns):
        raise DataError(f"{where}: has {len(row)} fields (legal: {len(columns)})")
    return tuple(_number(text, name, where) for text, name in zip(row, columns, strict=True))


def _number(text: str, name: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    positive = name == "edp"
    if not math.isfinite(value) or value < 0 or (positive and value == 0):
        legal = f"a finite number {'>' if positive else '>='} 0"
        raise DataError(f"{where}: field {name} is {text!r} (legal: {legal})")
    return value


def _check_ascending(samples: Sequence[float], path: Path) -> None:
    for row in range(1, len(samples)):
        if samples[row] < samples[row - 1]:
            raise DataError(
                f"{path}, row {row + 1}: field samples is {samples[row]:.15g} "
                f"(legal: at least the {samples[row - 1]:.15g} of the row before)"
            )

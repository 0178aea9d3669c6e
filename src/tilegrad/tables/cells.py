"""Numbers out of a table's cells, whatever type the column has."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_ABSENT = ["", "nan", "na", "n/a", "null", "none"]


def numbers(column: pa.Array) -> FloatArray:
    """Return the cells as float64 ``[row]``; NaN for every cell that is not a number."""
    column = _plain(column)
    if _is_text(column):
        column = pc.utf8_trim_whitespace(column)
    elif pa.types.is_boolean(column.type):
        return np.full(len(column), np.nan)
    try:
        return _cast(column)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        if not _is_text(column):
            return np.full(len(column), np.nan)
    readable = pc.match_substring_regex(column, _NUMBER)
    return _cast(pc.if_else(readable, column, None))


def absent(column: pa.Array) -> BoolArray:
    """Return which cells ``[row]`` are empty, null or NaN, in any of the usual spellings."""
    column = _plain(column)
    if _is_text(column):
        lower = pc.utf8_lower(pc.utf8_trim_whitespace(column))
        named = pc.is_in(lower, value_set=pa.array(_ABSENT, lower.type))
        return _mask(pc.or_kleene(named, column.is_null()))
    return _mask(column.is_null(nan_is_null=True))


def texts(column: pa.Array) -> list[str]:
    """Return the cells as text; "" for a null or for a cell that is not text."""
    column = _plain(column)
    if not _is_text(column):
        return [""] * len(column)
    return [text or "" for text in column.to_pylist()]


def shown(column: pa.Array, row: int) -> str:
    """Return a cell as an error quotes it."""
    return repr(column[row].as_py())


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _is_text(column: pa.Array) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _cast(column: pa.Array) -> FloatArray:
    return np.array(pc.cast(column, pa.float64(), safe=False), dtype=np.float64)


def _mask(column: pa.Array) -> BoolArray:
    return np.array(column, dtype=np.bool_)

"""Tables read in chunks: CSV (plain, gzip, tar of one file) and Parquet."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Protocol

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from tilegrad.checks import wrong_separator
from tilegrad.errors import DataError, unknown
from tilegrad.tables.files import Stream, explained, unpacked
from tilegrad.tables.suffixes import SUFFIXES

_BLOCK_BYTES = 4 << 20


class Table(Protocol):
    """A table being read."""

    columns: tuple[str, ...]

    def chunks(self, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the columns in chunks of at most ``rows`` rows."""
        ...

    def fraction(self) -> float:
        """Return how much of the file has been read, from 0 to 1."""
        ...


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """Open a table by its name's ending.

    Raises ``DataError`` naming the file, here or while it is read, where it is missing, truncated
    or not what its name says.
    """
    name = path.name.lower()
    suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)
    if suffix is None:
        ending = "".join(path.suffixes[-2:])
        raise DataError(unknown("kind of table", ending, SUFFIXES, str(path)))
    with ExitStack() as stack:
        with explained(path):
            raw = stack.enter_context(path.open("rb"))
            if suffix == ".parquet":
                table: Table = _ParquetTable(path, raw)
            else:
                stream = stack.enter_context(unpacked(path, raw, suffix))
                table = _CsvTable(path, raw, stream)
        yield table


class _CsvTable:
    """A CSV stream; every cell stays text, so that errors can quote it."""

    def __init__(self, path: Path, raw: IO[bytes], stream: Stream) -> None:
        self._path = path
        self._raw = raw
        self._size = path.stat().st_size
        self._stream = stream
        header = next(csv.reader([stream.readline().decode("utf-8-sig")]), [])
        if not header:
            raise DataError(f"{path}: the table is empty (legal: a header, then rows)")
        if (reason := wrong_separator(header)) is not None:
            raise DataError(f"{path}: {reason}")
        self.columns = tuple(header)

    def chunks(self, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        with explained(self._path):
            if not self._stream.peek(1):
                return
            reader = self._reader(columns)
        while True:
            with explained(self._path):
                batch = next(reader, None)
            if batch is None:
                return
            even = math.ceil(len(batch) / math.ceil(len(batch) / rows))
            for start in range(0, len(batch), even):
                yield batch.slice(start, even)

    def _reader(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        read = pa_csv.ReadOptions(
            column_names=self.columns, block_size=_BLOCK_BYTES, use_threads=False
        )
        convert = pa_csv.ConvertOptions(
            include_columns=columns, column_types=dict.fromkeys(columns, pa.string())
        )
        reader: Iterator[pa.RecordBatch] = pa_csv.open_csv(
            self._stream, read_options=read, convert_options=convert
        )
        return reader

    def fraction(self) -> float:
        return min(1.0, self._raw.tell() / max(self._size, 1))


class _ParquetTable:
    """A Parquet file."""

    def __init__(self, path: Path, raw: IO[bytes]) -> None:
        self._path = path
        self._file = pq.ParquetFile(raw)
        self._read = 0
        self.columns = tuple(self._file.schema_arrow.names)

    def chunks(self, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        batches = self._file.iter_batches(batch_size=rows, columns=list(columns))
        while True:
            with explained(self._path):
                batch = next(batches, None)
            if batch is None:
                return
            self._read += len(batch)
            yield batch

    def fraction(self) -> float:
        return float(self._read / max(self._file.metadata.num_rows, 1))

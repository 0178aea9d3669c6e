"""The Parquet file of results: written as chunks come, there only when all is well."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from tilegrad.errors import DataError
from tilegrad.evaluate.evaluator import Evaluated
from tilegrad.tables.files import explained
from tilegrad.tables.layout import MAPPING, QUANTITIES, Layout


class ParquetOutput:
    """A context that writes beside ``path`` and moves the file there when it ends without error.

    Raises ``DataError`` where ``path`` cannot be a Parquet file or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        self._writer: pq.ParquetWriter | None = None
        if path.suffix.lower() != ".parquet":
            raise DataError(f"output {path}: ends in {path.suffix!r} (legal: .parquet)")
        if not path.parent.is_dir():
            raise DataError(f"output {path}: there is no folder {str(path.parent)!r}")
        if path.is_dir():
            raise DataError(f"output {path}: is a folder (legal: a file)")

    def __enter__(self) -> ParquetOutput:
        return self

    def write(self, batch: pa.RecordBatch) -> None:
        """Append a chunk; the first one settles the columns."""
        with explained(self._path, "written"):
            if self._writer is None:
                self._writer = pq.ParquetWriter(self._partial, batch.schema)
            self._writer.write_batch(batch)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with explained(self._path, "written"):
                if self._writer is not None:
                    self._writer.close()
                if kind is None and self._writer is not None:
                    os.replace(self._partial, self._path)
        finally:
            self._partial.unlink(missing_ok=True)


def result_batch(evaluated: Evaluated, layout: Layout) -> pa.RecordBatch:
    """Return the results' columns: row and mapping, values, bottleneck, references, errors."""
    rows = evaluated.rows
    columns = {"row": pa.array(rows.number.numpy()), MAPPING: pa.array(rows.texts, pa.string())}
    for quantity in QUANTITIES:
        columns[quantity.column] = pa.array(evaluated.values[quantity.name].numpy())
    # Whole numbers, all of them below 2**63.
    columns["cycles"] = columns["cycles"].cast(pa.int64())
    columns["bottleneck"] = pa.array(evaluated.bottleneck, pa.string())
    for quantity in layout.references:
        reference = rows.references[quantity.name].numpy() / quantity.scale
        error = evaluated.errors[quantity.name].numpy()
        columns[quantity.reference] = pa.array(reference, from_pandas=True)
        columns[quantity.error_column] = pa.array(error, from_pandas=True)
    return pa.RecordBatch.from_pydict(columns)

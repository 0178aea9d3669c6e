"""A Parquet file written as chunks come, there only when all is well."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from tilegrad.errors import DataError
from tilegrad.tables.files import explained

PARTIAL = ".partial"
"""Ending of a file that is being written; one without a writer is left of a killed process."""


class ParquetOutput:
    """A context that writes beside ``path`` and moves the file there when it ends without error.

    Raises ``DataError`` where ``path`` cannot be a Parquet file or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Another process or thread may be writing the same file.
        writer = f"{os.getpid()}-{threading.get_ident()}"
        self._partial = path.with_name(f".{path.name}.{writer}{PARTIAL}")
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
                self._writer = pq.ParquetWriter(
                    self._partial,
                    batch.schema,
                    write_page_checksum=True,
                    # A dictionary of measurements only costs time: hardly two are equal.
                    use_dictionary=[
                        f.name for f in batch.schema if not pa.types.is_floating(f.type)
                    ],
                )
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


def _repeating(schema: pa.Schema) -> list[str]:
    """Return the columns worth a dictionary: measurements are hardly ever equal."""
    return [field.name for field in schema if not pa.types.is_floating(field.type)]

"""A Parquet file written as chunks come, there only when all is well."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from tilegrad.errors import DataError
from tilegrad.files import replacing
from tilegrad.tables.files import explained


class ParquetOutput:
    """A context that writes beside ``path`` and moves the file there when it ends without error.

    Raises ``DataError`` where ``path`` cannot be a Parquet file or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = ExitStack()
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
                    self._open.enter_context(replacing(self._path)),
                    batch.schema,
                    write_page_checksum=True,
                    # A dictionary of measurements only costs time: hardly two are equal.
                    use_dictionary=[
                        f.name for f in batch.schema if not pa.types.is_floating(f.type)
                    ],
                )
                self._open.callback(self._writer.close)
            self._writer.write_batch(batch)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with explained(self._path, "written"):
            self._open.__exit__(kind, error, trace)

"""Schedules kept as one Parquet file per shard: made once, by any number of processes.

A shard is written under another name and then moved to its own, so a file is there whole or not at
all; a killed run leaves the shards it finished, and the next one makes the others. Processes that
make the same shard write the same content. A file that is damaged is made again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from tilegrad.files import TEMPORARY
from tilegrad.schedules.catalogue import Catalogue
from tilegrad.schedules.columns import column_names, decode
from tilegrad.schedules.reading import Progress
from tilegrad.schedules.schedule_rows import empty_rows
from tilegrad.schedules.schedules import TARGETS, Schedules
from tilegrad.tables.files import explained
from tilegrad.tables.output import ParquetOutput

Make = Callable[[int], pa.Table]
"""Makes a shard by its number; called from several threads at once."""

ABANDONED_SECONDS = 3600.0
"""Age from which an unfinished file has no writer any more."""


@dataclass(frozen=True)
class Shards:
    """The shards of one set of schedules: the ``rows`` of each, in order, all of ``TARGETS``."""

    directory: Path
    catalogue: Catalogue
    rows: Sequence[int]
    workers: int

    def path(self, number: int) -> Path:
        """Return the file of a shard."""
        return self.directory / f"part-{number:05d}-of-{len(self.rows):05d}.parquet"

    def load(self, make: Make, progress: Progress | None = None) -> Schedules:
        """Return the schedules of all shards; those without a whole file are made."""
        everything = empty_rows(self.catalogue.accelerator, sum(self.rows), TARGETS)
        starts = list(accumulate(self.rows, initial=0))

        def fetch(number: int) -> None:
            rows = slice(starts[number], starts[number + 1])
            everything.put(rows, decode(self._table(number, make), self.catalogue))

        self._each(fetch, progress)
        return self.catalogue.schedules(everything)

    def stream(self, make: Make, progress: Progress | None = None) -> Iterator[Schedules]:
        """Yield the shards' schedules in order, one in memory at once, after all were made."""

        def fetch(number: int) -> None:
            self._table(number, make)

        self._each(fetch, progress)
        for number in range(len(self.rows)):
            yield self.catalogue.schedules(decode(self._table(number, make), self.catalogue))

    def _each(self, work: Callable[[int], None], progress: Progress | None) -> None:
        """Call ``work`` for every shard, in threads; the first error ends all."""
        with explained(self.directory, "written"):
            self.directory.mkdir(parents=True, exist_ok=True)
            self._remove_abandoned()
        done = 0
        with _single_threaded(), ThreadPoolExecutor(self.workers) as pool:
            running = {pool.submit(work, number): number for number in range(len(self.rows))}
            try:
                for future in as_completed(running):
                    future.result()
                    done += self.rows[running[future]]
                    if progress:
                        progress(done, done / sum(self.rows))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _table(self, number: int, make: Make) -> pa.Table:
        """Return a shard out of its file, or made and filed."""
        table = self._read(number)
        if table is None:
            table = make(number)
            with ParquetOutput(self.path(number)) as output:
                for batch in table.to_batches():
                    output.write(batch)
        return table

    def _read(self, number: int) -> pa.Table | None:
        """Return a shard's file; None where it is absent, damaged or not what it should be."""
        try:
            table = pq.read_table(
                self.path(number), page_checksum_verification=True, use_threads=False
            )
        except (OSError, pa.ArrowException):
            return None
        names = column_names(self.catalogue.accelerator, TARGETS)
        expected = len(table) == self.rows[number] and table.column_names == names
        return table if expected else None

    def _remove_abandoned(self) -> None:
        """Remove what killed processes left unfinished."""
        for path in self.directory.glob(f".*{TEMPORARY}"):
            try:
                if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    path.unlink()
            except FileNotFoundError:
                # Another process removed it, or moved it to its own name.
                continue


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Let each thread work alone: the shards are parallel."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

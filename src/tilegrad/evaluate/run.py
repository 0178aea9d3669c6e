"""Evaluate a whole table, chunk by chunk, into a Parquet file."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tilegrad.accelerator import Accelerator
from tilegrad.errors import DataError
from tilegrad.evaluate.accuracy import Accuracy
from tilegrad.evaluate.evaluator import Evaluated, Evaluator
from tilegrad.evaluate.output import result_batch
from tilegrad.tables.faults import FaultTally
from tilegrad.tables.output import ParquetOutput
from tilegrad.tables.source import open_table
from tilegrad.tables.table_layout import find_layout

CHUNK_ROWS = 16_384


@dataclass
class Summary:
    """What an evaluation did: rows read, faults, seconds, and the accuracy by quantity."""

    rows: int = 0
    seconds: float = 0.0
    faults: FaultTally = field(default_factory=FaultTally)
    accuracy: dict[str, Accuracy] = field(default_factory=dict)

    @property
    def evaluated(self) -> int:
        """Rows with a result."""
        return self.rows - self.faults.counts.total()

    def add(self, evaluated: Evaluated) -> None:
        """Count the errors of a chunk."""
        rows = evaluated.rows
        for name, errors in evaluated.errors.items():
            self.accuracy[name].add(errors.numpy(), rows.number.numpy(), rows.texts)


def evaluate_table(
    table: Path,
    accelerator: Accelerator,
    out: Path,
    *,
    skip_invalid: bool = False,
    chunk_rows: int = CHUNK_ROWS,
    progress: Callable[[int, float], None] | None = None,
) -> Summary:
    """Write cycles, energy and EDP of each row of ``table`` to ``out``; nothing is left on error.

    ``progress`` is told the rows so far and the fraction read. Raises ``DataError`` for a table
    that cannot be read, and for rows that are illegal or do not fit their hardware unless
    ``skip_invalid``.
    """
    start = time.perf_counter()
    summary = Summary()
    with ParquetOutput(out) as output, open_table(table) as source:
        if out.exists() and out.samefile(table):
            raise DataError(f"output {out}: is the table itself (legal: another file)")
        layout = find_layout(source.columns, accelerator, str(table))
        summary.accuracy = {quantity.name: Accuracy() for quantity in layout.references}
        evaluator = Evaluator(layout, accelerator)
        for batch in source.chunks(layout.columns, chunk_rows):
            evaluated, faults = evaluator(batch, summary.rows + 1)
            output.write(result_batch(evaluated, layout))
            summary.rows += len(batch)
            summary.faults.add(faults)
            summary.add(evaluated)
            if progress:
                progress(summary.rows, source.fraction())
        _check(summary, str(table), skip_invalid)
    summary.seconds = time.perf_counter() - start
    return summary


def _check(summary: Summary, where: str, skip_invalid: bool) -> None:
    if not summary.rows:
        raise DataError(f"{where}: the table has no rows (legal: at least one)")
    if summary.faults.counts and not (skip_invalid and summary.evaluated):
        raise DataError(summary.faults.message(where, summary.rows))

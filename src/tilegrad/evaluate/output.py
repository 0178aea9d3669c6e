"""The columns of an evaluation's results."""

from __future__ import annotations

import pyarrow as pa

from tilegrad.evaluate.evaluator import Evaluated
from tilegrad.tables.table_layout import MAPPING, QUANTITIES, TableLayout


def result_batch(evaluated: Evaluated, layout: TableLayout) -> pa.RecordBatch:
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

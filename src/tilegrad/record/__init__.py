"""What a search leaves, result.json, as one typed and versioned record for all who read it."""

from tilegrad.record.covered import Covered, LeftOutOperator, stated_coverage
from tilegrad.record.design import DesignRecord, LayerDesign
from tilegrad.record.reading import (
    RESULT,
    parse_result,
    read_design_record,
    read_result,
    result_file,
)
from tilegrad.record.result import (
    FORMAT,
    LayerResult,
    NetworkResult,
    Outside,
    Predicted,
    Result,
    Variant,
)

__all__ = [
    "FORMAT",
    "RESULT",
    "Covered",
    "DesignRecord",
    "LayerDesign",
    "LayerResult",
    "LeftOutOperator",
    "NetworkResult",
    "Outside",
    "Predicted",
    "Result",
    "Variant",
    "parse_result",
    "read_design_record",
    "read_result",
    "result_file",
    "stated_coverage",
]

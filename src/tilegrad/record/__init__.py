"""What a search leaves, result.json, as one typed and versioned record for all who read it."""

from tilegrad.record.design import DesignRecord, LayerDesign
from tilegrad.record.reading import (
    RESULT,
    parse_result,
    read_design_record,
    read_result,
    result_file,
)
from tilegrad.record.result import FORMAT, LayerResult, Outside, Predicted, Result, Variant

__all__ = [
    "FORMAT",
    "RESULT",
    "DesignRecord",
    "LayerDesign",
    "LayerResult",
    "Outside",
    "Predicted",
    "Result",
    "Variant",
    "parse_result",
    "read_design_record",
    "read_result",
    "result_file",
]

"""Evaluation of whole tables of mappings."""

from tilegrad.calls import callable_package
from tilegrad.evaluate.accuracy import Accuracy
from tilegrad.evaluate.run import Summary, evaluate_table

__all__ = ["Accuracy", "Summary", "evaluate_table"]

callable_package(__name__)

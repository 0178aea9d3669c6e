"""What is computed: any problem of two operands and a result."""

from tilegrad.shape.read import build_shape, load_shape, packaged_shape, packaged_shapes, read_shape
from tilegrad.shape.shape import (
    GROUP,
    INPUTS,
    LETTERS,
    OUTPUTS,
    ROLES,
    WEIGHTS,
    Axis,
    Shape,
    Term,
)

__all__ = [
    "GROUP",
    "INPUTS",
    "LETTERS",
    "OUTPUTS",
    "ROLES",
    "WEIGHTS",
    "Axis",
    "Shape",
    "Term",
    "build_shape",
    "load_shape",
    "packaged_shape",
    "packaged_shapes",
    "read_shape",
]

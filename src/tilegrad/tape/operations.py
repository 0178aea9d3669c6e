"""Kinds of figures and instructions. True is 1.0 and false 0.0."""

from __future__ import annotations

CONSTANT, ROW, LAYER, ORDERED, COTANGENT, KEPT = range(6)
"""Figures that are given: a number; of each row, layer, layer and order; of each row and order, the
gradient of an output; the figure that another one was for a certain order."""

ADD, SUBTRACT, MULTIPLY, DIVIDE, MINIMUM, MAXIMUM, EQUAL, UNEQUAL, LESS, AT_MOST = range(6, 16)
WHERE, ABSOLUTE, SIGN, ROUND, FLOOR, DIVISOR = range(16, 22)
"""Figures that are worked out; ``DIVISOR`` is the greatest common one."""

OUTPUT, GRADIENT, KEEP = range(22, 25)
"""Instructions that write a figure of a row and order, or of a row; or keep that of an order."""

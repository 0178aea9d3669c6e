"""Operations of costs in machine code: see ``tilegrad.cost.operations``.

Each takes columns ``[row]`` of figures, one mapping in each row, and writes ``total`` or ``out``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tilegrad.machine_code import code_directory, compiled_in

_DIRECTORY = code_directory(Path(__file__).parent, ("kernel",))


def _blocks(total: Any, words: Any, block: float, pj: float) -> None:
    """Add the energy of words that come in whole blocks."""
    for row in range(len(total)):
        total[row] += pj * (np.ceil(words[row] / block) * block)


def _rates(total: Any, words: Any, steps: Any) -> None:
    """Add words per step."""
    for row in range(len(total)):
        total[row] += words[row] / steps[row]


def _stretched(before: Any, steps: Any, demand: Any, out: Any, width: float) -> None:
    """Write cycles: at least ``before``, and steps in which no more than ``width`` is asked for.

    What is no number stays none, as in tensor operations.
    """
    for row in range(len(out)):
        share = width / demand[row]
        busy, most = np.ceil(steps[row] / (1.0 if share > 1.0 else share)), before[row]
        out[row] = most if busy <= most or np.isnan(most) else busy


def _stretched_by(before: Any, steps: Any, demand: Any, out: Any, width: float) -> None:
    """Write the same, but divide by the inverse."""
    for row in range(len(out)):
        share = (1.0 / demand[row]) * width
        busy, most = np.ceil(steps[row] / (1.0 if share > 1.0 else share)), before[row]
        out[row] = most if busy <= most or np.isnan(most) else busy


blocks, rates, stretched, stretched_by = (
    compiled_in(_DIRECTORY, function, error_model="numpy")
    for function in (_blocks, _rates, _stretched, _stretched_by)
)

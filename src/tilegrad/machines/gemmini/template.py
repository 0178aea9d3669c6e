"""What makes an accelerator a Gemmini: its levels, its parameters, the array that is built."""

from __future__ import annotations

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.errors import ConfigError

PARAMETERS = ("pe_dim", "scratchpad_kb", "accumulator_kb")
LEVELS = ("Registers", "Accumulator", "Scratchpad", "DRAM")

SMALLEST_ARRAY = 2

INPUT_BYTES = 1
ACCUMULATOR_BYTES = 4
"""Of a word of the scratchpad and of the accumulator."""


def check_template(accelerator: Accelerator, asker: str) -> None:
    """Refuse an accelerator that is not laid out like Gemmini; ``ConfigError`` says why.

    ``asker`` is what needs a Gemmini.
    """
    levels = tuple(level.name for level in accelerator.levels)
    if levels != LEVELS or set(accelerator.parameters) != set(PARAMETERS):
        raise ConfigError(
            f"accelerator {accelerator.name} is no Gemmini: levels {', '.join(levels)}, parameters "
            f"{', '.join(accelerator.parameters) or 'none'} (legal for {asker}: "
            f"accelerator=gemmini, or another of levels {', '.join(LEVELS)} and parameters "
            f"{', '.join(PARAMETERS)})"
        )


def array_side(pe_dim: Tensor) -> Tensor:
    """Return the rows and columns of the array that holds ``pe_dim [...]``: a power of two."""
    # Slack for logs of whole powers that come out a bit too large.
    return torch.exp2(torch.ceil(torch.log2(pe_dim) - 1e-9)).clamp(min=SMALLEST_ARRAY)

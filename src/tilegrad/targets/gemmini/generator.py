"""The smallest Gemmini that its generator can build and that holds a design.

A tile of the design occupies half of each memory: Gemmini loads the next one into the other half
while it computes. So 128 KB and 32 KB ask for Gemmini's own default, 256 KB and 64 KB. The
generator's further demands are the ``require`` and ``assert`` lines of its GemminiConfigs.scala.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tilegrad.accelerator import Accelerator
from tilegrad.errors import ConfigError

SCRATCHPAD_BANKS = 4
ACCUMULATOR_BANKS = 2
INPUT_BYTES = 1
ACCUMULATOR_BYTES = 4

PARAMETERS = ("pe_dim", "scratchpad_kb", "accumulator_kb")
LEVELS = ("Registers", "Accumulator", "Scratchpad", "DRAM")


@dataclass(frozen=True)
class Generator:
    """Sizes of a Gemmini: ``dim`` PEs a side, rows of ``dim`` words in each memory."""

    dim: int
    scratchpad_kb: int
    accumulator_kb: int

    @property
    def bank_rows(self) -> int:
        """Rows of one bank of the scratchpad."""
        return self.scratchpad_kb * 1024 // (SCRATCHPAD_BANKS * self.dim * INPUT_BYTES)

    @property
    def accumulator_rows(self) -> int:
        """Rows of the accumulator, all banks together."""
        return self.accumulator_kb * 1024 // (self.dim * ACCUMULATOR_BYTES)

    @property
    def tile_rows(self) -> tuple[int, int]:
        """Rows that one tile may occupy: scratchpad, accumulator."""
        return SCRATCHPAD_BANKS * self.bank_rows // 2, self.accumulator_rows // 2

    @property
    def partial_sum_bits(self) -> int:
        """Width of a column's sum: products of 8-bit words over all rows of the array."""
        return max(20, 16 + (self.dim - 1).bit_length())


def generator(hardware: Mapping[str, float]) -> Generator:
    """Return the smallest legal Gemmini with room for two tiles of a design's ``hardware``."""
    dim = 1 << max(1, (int(hardware["pe_dim"]) - 1).bit_length())
    accumulator = _accumulator_kb(dim, 2 * hardware["accumulator_kb"])
    accumulator_rows = Generator(dim, 0, accumulator).accumulator_rows
    rows = dim
    while (
        SCRATCHPAD_BANKS * rows * dim < 2 * hardware["scratchpad_kb"] * 1024
        or SCRATCHPAD_BANKS * rows - 2 * dim < accumulator_rows
        or (SCRATCHPAD_BANKS * rows * dim) % 1024
    ):
        rows *= 2
    return Generator(dim, SCRATCHPAD_BANKS * rows * dim // 1024, accumulator)


def _accumulator_kb(dim: int, least: float) -> int:
    """Return the fewest whole KB, at least ``least``, whose banks hold whole ``dim`` rows."""
    kb = max(1, -int(-least // 1))
    while kb * 1024 % (ACCUMULATOR_BANKS * dim * ACCUMULATOR_BYTES * dim):
        kb += 1
    return kb


def check_template(accelerator: Accelerator) -> None:
    """Refuse an accelerator that is not laid out like Gemmini; ``ConfigError`` says why."""
    levels = tuple(level.name for level in accelerator.levels)
    if levels != LEVELS or set(accelerator.parameters) != set(PARAMETERS):
        raise ConfigError(
            f"accelerator {accelerator.name} is no Gemmini: levels {', '.join(levels)}, parameters "
            f"{', '.join(accelerator.parameters) or 'none'} (legal for --target gemmini: levels "
            f"{', '.join(LEVELS)}, parameters {', '.join(PARAMETERS)})"
        )

"""The smallest Gemmini that its generator can build and that holds a design.

A tile of the design occupies half of each memory: Gemmini loads the next one into the other half
while it computes. So 128 KB and 32 KB ask for Gemmini's own default, 256 KB and 64 KB. The
generator's further demands are the ``require`` and ``assert`` lines of its GemminiConfigs.scala.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from tilegrad.machines.gemmini.template import ACCUMULATOR_BYTES, INPUT_BYTES, array_side

SCRATCHPAD_BANKS = 4
ACCUMULATOR_BANKS = 2


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
    dim = int(array_side(torch.tensor(float(hardware["pe_dim"]), dtype=torch.float64)))
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


def halves(hardware: Mapping[str, float]) -> Generator:
    """Return a Gemmini of which a design's ``hardware`` is half, whether it can be built or not.

    Of sizes that the generator rounds up, so that its tiles are no larger than the design's.
    """
    dim = int(array_side(torch.tensor(float(hardware["pe_dim"]), dtype=torch.float64)))
    return Generator(dim, int(2 * hardware["scratchpad_kb"]), int(2 * hardware["accumulator_kb"]))


def _accumulator_kb(dim: int, least: float) -> int:
    """Return the fewest whole KB, at least ``least``, whose banks hold whole ``dim`` rows."""
    kb = max(1, -int(-least // 1))
    while kb * 1024 % (ACCUMULATOR_BANKS * dim * ACCUMULATOR_BYTES * dim):
        kb += 1
    return kb

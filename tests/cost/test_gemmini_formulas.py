"""Gemmini's closed formulas, written out by hand, against the general model."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, prod

import torch
from hypothesis import given, settings

from tests.helpers import gemmini, generator, integer_mappings, random_strides, seeds
from tests.helpers_timeloop import Loop, SmallNest
from tilegrad.cost import infer_hardware, layer_cost
from tilegrad.mapping import LoopNest
from tilegrad.nest import analyse
from tilegrad.shape.conv import DIMS, C, K, N, P, Q, R, S

COUNTING = "timeloop-2022"
ROWS = 12


def moves(loops: list[Loop], irrelevant: set[int]) -> int:
    """Return how often a tile moves: all loops but the innermost run of irrelevant ones."""
    kept = list(loops)
    while kept and kept[-1].dim in irrelevant:
        kept.pop()
    return prod(loop.bound for loop in kept)


class Gemmini:
    """One mapping's accesses over all instances, in words."""

    def __init__(self, mapping: LoopNest, strides: tuple[int, ...]) -> None:
        nest = SmallNest(mapping, strides)
        size = mapping.bounds().long().tolist()
        self.c, self.k = (int(mapping.spatial[level, 0, d].item()) for level, d in ((1, C), (2, K)))
        self.macs = prod(size)
        outputs = size[N] * size[K] * size[P] * size[Q]
        inner, outer = nest.temporal_above(0), nest.temporal_above(2)
        self.weights_kept, self.inputs_kept = (len(nest.tile(2, t)) for t in ("Weights", "Inputs"))
        self.column_kept = len(nest.tile(1, "Outputs"))
        register_fills = self.c * self.k * moves(inner, {P, Q, N})
        weight_fills = self.weights_kept * moves(outer, {P, Q, N})
        input_fills = nest.fills(2, "Inputs", COUNTING)
        drained = self.k * self.column_kept * moves(outer, {R, S, C})
        self.registers = [self.macs, register_fills]
        self.scratchpad = [register_fills, self.macs // self.k, weight_fills, input_fills]
        self.dram = [weight_fills, input_fills, drained, drained - outputs]
        self.accumulator = 2 * self.macs // self.c + drained - outputs

    def hardware(self) -> tuple[int, int, int]:
        """Return the PE dimension and the KB of scratchpad and accumulator that hold it."""
        pe = max(self.c, self.k, 2)
        scratchpad = max(1, ceil((self.weights_kept + self.inputs_kept) / 1024))
        return pe, scratchpad, max(1, ceil(pe * self.column_kept * 4 / 1024))

    def cycles(self, pe: int) -> Fraction:
        """Return the latency: the slowest of arithmetic and memories."""
        arithmetic = Fraction(self.macs, self.c * self.k)
        memories = (
            Fraction(self.accumulator, 2 * self.k),
            Fraction(sum(self.scratchpad), 2 * pe),
            Fraction(sum(self.dram), 8),
        )
        return max(arithmetic, *memories)

    def energy_pj(self, pe: int, scratchpad_kb: int, accumulator_kb: int) -> float:
        """Return the energy, memories accessed in whole blocks."""
        return (
            0.5608 * self.macs
            + (1 + 5 / 99.5 * (1 / 1024 - 0.5)) / 2 * sum(self.registers)
            + (1.949749 + 0.1005025 * accumulator_kb / pe) * self.accumulator
            + (0.487437 + 0.0251256 * scratchpad_kb) * blocks(self.scratchpad, pe)
            + 100 * blocks(self.dram, 64)
        )


def blocks(words: list[int], size: int) -> int:
    """Return words rounded up to whole blocks."""
    return sum(ceil(word / size) * size for word in words)


@settings(deadline=None, max_examples=20)
@given(seed=seeds)
def test_cost_and_hardware_follow_the_closed_formulas(seed: int) -> None:
    source = generator(seed)
    mapping, strides = integer_mappings(gemmini(), ROWS, source), random_strides(ROWS, source)
    mapping = LoopNest(mapping.temporal.clamp(max=3), mapping.spatial, mapping.order)
    mapping.temporal[:, 0, [d for d in range(len(DIMS)) if d != P]] = 1
    nest = analyse(mapping, strides, gemmini())
    # One design per mapping: a network of one layer.
    alone = analyse(mapping.each(lambda tensor: tensor.unsqueeze(1)), strides[:, None], gemmini())
    hardware = infer_hardware(gemmini(), alone, {})
    found = layer_cost(nest, gemmini(), hardware)
    for row in range(ROWS):
        by_hand = Gemmini(mapping[row], tuple(strides[row].long().tolist()))
        design = by_hand.hardware()
        names = ("pe_dim", "scratchpad_kb", "accumulator_kb")
        assert tuple(int(hardware[name][row]) for name in names) == design
        cycles = by_hand.cycles(design[0])
        # Timeloop divides in doubles: a whole number of cycles may come out as one more.
        assert found.cycles[row].item() in {ceil(cycles), floor(cycles) + 1}
        energy = by_hand.energy_pj(*design)
        assert torch.isclose(found.energy_pj[row], torch.tensor(energy).double(), rtol=2e-6)

"""The data that exported programs run on, and the checksum of what Gemmini makes of it.

Both sides fill tensors by one linear congruential generator and compute one polynomial of the
outputs' bytes; here also by a plain integer reference of the layer, which knows no tiles. Sums
of 32 bits are scaled by a power of two, rounded to the nearest integer (ties to the even one)
and saturated to 8 bits, as Gemmini's accumulator does when it stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import log2, prod

import numpy as np
from numpy.typing import NDArray

from tilegrad.machines.gemmini.template import ACCUMULATOR_BYTES, INPUT_BYTES
from tilegrad.shape.conv import DIMS, GROUPED, STRIDES

MULTIPLIER = 6_364_136_223_846_793_005
INCREMENT = 1_442_695_040_888_963_407
"""Of the generator, modulo 2**64 (Knuth's MMIX)."""
INPUT_SEED, WEIGHT_SEED, BIAS_SEED = 1, 2, 3
WORD = 8
"""Bytes that the generator makes and the checksum takes at once."""

(GROUP,) = GROUPED.left_out
"""The field of a layer's groups, which one of a single group lacks."""

_SPREAD = 64.0
"""Standard deviation of the outputs before they saturate: some do, and most do not."""
_BYTE = (2.0**16 - 1) / 12
"""Variance of a byte from -128 to 127, all of them as likely."""

Fields = Mapping[str, int]
Words = NDArray[np.uint64]


def shift_of(problem: Fields) -> int:
    """Return by how many bits the sums of a layer are scaled down before they are stored."""
    terms = prod(problem[dim] for dim in "RSC")
    return round(log2(_BYTE * terms**0.5 / _SPREAD))


def filled(size: int, seed: int) -> NDArray[np.int8]:
    """Return ``size`` bytes as programs fill a tensor with them, in the order of memory."""
    steps = -(-size // WORD)
    powers = np.full(steps, MULTIPLIER, np.uint64).cumprod(dtype=np.uint64)
    sums = np.concatenate([np.ones(1, np.uint64), powers[:-1]]).cumsum(dtype=np.uint64)
    states = powers * np.uint64(seed) + sums * np.uint64(INCREMENT)
    return _folded(states).astype("<u8").view(np.int8)[:size]


def checksum(outputs: NDArray[np.int8]) -> int:
    """Return the checksum that a program prints of its outputs, in the order of memory."""
    whole = np.zeros(-(-outputs.size // WORD) * WORD, np.int8)
    whole[: outputs.size] = outputs.reshape(-1)
    words = _folded(whole.view("<u8").astype(np.uint64))
    factors = np.full(words.size, MULTIPLIER, np.uint64)
    factors[0] = 1
    return int((words * factors.cumprod(dtype=np.uint64)[::-1]).sum(dtype=np.uint64))


def _folded(words: Words) -> Words:
    """Return words whose high bits, which say most, are mixed into the low ones as well."""
    return words ^ (words >> np.uint64(32))


def reference(problem: Fields, biased: bool = False) -> NDArray[np.int8]:
    """Return the outputs ``[N, Q, P, G * K]`` of a layer, by its bounds and strides.

    Inputs are ``[N, rows, columns, G * C]`` that hold their padding, weights ``[G, S, R, C, K]``,
    biases ``[G * K]``: bytes, as large beside the outputs as those before they are scaled. Float64
    holds every sum exactly.
    """
    b = {dim: problem[dim] for dim in DIMS}
    groups = problem.get(GROUP, 1)
    wstride, hstride, wdilation, hdilation = (problem[name] for name in STRIDES)
    rows = (b["Q"] - 1) * hstride + (b["S"] - 1) * hdilation + 1
    columns = (b["P"] - 1) * wstride + (b["R"] - 1) * wdilation + 1
    shape = (b["N"], rows, columns, groups, b["C"])
    inputs = filled(prod(shape) * INPUT_BYTES, INPUT_SEED).reshape(shape)
    taps = (groups, b["S"], b["R"], b["C"], b["K"])
    weights = filled(prod(taps) * INPUT_BYTES, WEIGHT_SEED).reshape(taps).astype(np.float64)
    shift, filters = shift_of(problem), groups * b["K"]
    biases = filled(filters * ACCUMULATOR_BYTES, BIAS_SEED).view("<i4") >> 24 << shift
    biases = biases.reshape(groups, 1, b["K"])
    outputs = np.empty((b["N"], b["Q"], b["P"], filters), np.int8)
    for image in range(b["N"]):
        sums = np.tile(biases * float(biased), (1, b["Q"] * b["P"], 1))
        for s in range(b["S"]):
            high = slice(s * hdilation, s * hdilation + (b["Q"] - 1) * hstride + 1, hstride)
            for r in range(b["R"]):
                wide = slice(r * wdilation, r * wdilation + (b["P"] - 1) * wstride + 1, wstride)
                window = inputs[image, high, wide].reshape(-1, groups, b["C"])
                sums += window.transpose(1, 0, 2).astype(np.float64) @ weights[:, s, r]
        stored = np.clip(np.rint(sums * 2.0**-shift), -128, 127).transpose(1, 0, 2)
        outputs[image] = stored.reshape(outputs.shape[1:]).astype(np.int8)
    return outputs


def expected_checksum(problem: Fields, biased: bool = False) -> int:
    """Return the checksum of a layer's right outputs."""
    return _expected(tuple(sorted(problem.items())), biased)


@lru_cache(maxsize=1024)
def _expected(problem: tuple[tuple[str, int], ...], biased: bool) -> int:
    return checksum(reference(dict(problem), biased))

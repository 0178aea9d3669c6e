"""Problem dimensions, tensors and which dimension touches which tensor (DESIGN: the loop nest)."""

from __future__ import annotations

DIMS = ("R", "S", "P", "Q", "C", "K", "N")
TENSORS = ("Weights", "Inputs", "Outputs")

R, S, P, Q, C, K, N = range(7)
WEIGHTS, INPUTS, OUTPUTS = range(3)

RELEVANT: dict[str, frozenset[int]] = {
    "Weights": frozenset({R, S, C, K}),
    "Inputs": frozenset({R, S, P, Q, C, N}),
    "Outputs": frozenset({P, Q, K, N}),
}
"""Dimensions that move each tensor's tile; each dimension is irrelevant to exactly one tensor."""

STRIDES = ("Wstride", "Hstride", "Wdilation", "Hdilation")
"""Input row = P*Wstride + R*Wdilation; input column = Q*Hstride + S*Hdilation."""

"""The convolution of one group, by name: for machines and tables that know nothing else."""

from __future__ import annotations

from tilegrad.shape.read import packaged_shape

GROUPED = packaged_shape("conv")
"""The packaged convolution, with its dim of groups."""

CONV = GROUPED.without(GROUPED.left_out)
"""What a convolution of one group is."""

DIMS = CONV.dims
STRIDES = CONV.coefficients
"""Input row = P*Wstride + R*Wdilation; input column = Q*Hstride + S*Hdilation."""

R, S, P, Q, C, K, N = range(len(DIMS))

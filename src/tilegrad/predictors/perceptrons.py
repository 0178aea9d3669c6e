"""Small perceptrons of equal widths beside each other, one a member of an ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class Perceptrons(nn.Module):
    """Perceptrons of equal widths beside each other, the last layer zero at first."""

    def __init__(self, members: int, widths: Sequence[int]) -> None:
        super().__init__()
        pairs = list(pairwise(widths))
        self.weight = nn.ParameterList(
            [torch.randn(members, before, after) * before**-0.5 for before, after in pairs]
        )
        self.bias = nn.ParameterList([torch.zeros(members, after) for _, after in pairs])
        nn.init.zeros_(self.weight[-1])

    def forward(self, shared: Tensor, own: Tensor) -> Tensor:
        """Return ``[..., member, output]`` of inputs to all ``[..., n]`` and to each.

        ``own [..., member, m]`` are each member's; the first layer's inputs are both, in turn.
        """
        return self.end(self.begin(shared, own))

    def begin(self, shared: Tensor, own: Tensor) -> Tensor:
        """Return what the first layer's units add up, ``[..., member * unit]``."""
        of_shared, of_own = self.weight[0].split([shared.shape[-1], own.shape[-1]], 1)
        found = shared @ of_shared.transpose(0, 1).flatten(1) + self.bias[0].flatten()
        return found + own.flatten(-2) @ torch.block_diag(*of_own)

    def end(self, found: Tensor) -> Tensor:
        """Return what follows from the sums of the first layer's units, as ``forward`` does."""
        # So small are the layers that one product with zeros is faster than one for each member.
        for weight, bias in zip(self.weight[1:], self.bias[1:], strict=True):
            found = nn.functional.silu(found) @ torch.block_diag(*weight) + bias.flatten()
        return found.unflatten(-1, (len(self.bias[0]), -1))

    def added(self, shared: Tensor, places: Sequence[int]) -> Tensor:
        """Return what the inputs to all at some ``places`` ``[..., place]`` add to ``begin``."""
        return shared @ self.weight[0][:, places].transpose(0, 1).flatten(1)

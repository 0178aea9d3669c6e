"""The descent's footprints and their gradients in machine code, where it pays.

``RelaxedStack.of_factors`` defines them in tensor operations. These are recorded once per search,
backward operations included, and then run some rows at a time in the processor's caches. Figures
and gradients agree to the last bit, which is looked at before machine code takes over, so when it
does makes no difference but in time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float64
from torch import Tensor

from tilegrad.cost.footprint import Footprint, with_logs
from tilegrad.cost.latency import NEST_LATENCY, LatencyModel
from tilegrad.tape.errors import NotRecordableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tilegrad.search.gradient.relaxed_stack import RelaxedStack
    from tilegrad.tape.runner import Runner

KEPT_PAYS, COMPILING_PAYS = 150_000, 500_000
"""Layer mappings descended by tensor operations after which machine code is loaded, or compiled.

Recording and loading take about as long as descending so many of them; compiling takes longer than
it saves in a search of the default size (700,000 for ResNet-50), but only once on a machine.
"""


@dataclass
class Machine:
    """Machine code of one stack; ``seen``: layer mappings descended without it.

    ``refused``: it cannot be had, or would give other figures.
    """

    seen: int = 0
    refused: bool = False
    runner: Runner | None = None
    preparing: Lock = field(default_factory=Lock)

    def footprint(
        self, stack: RelaxedStack, factors: Float64[Tensor, "start layer slot"], model: LatencyModel
    ) -> Footprint | None:
        """Return the footprints ``[start, layer, order]``; None: tensor operations are to do it."""
        if self.refused or model is not NEST_LATENCY or not _is_plain(factors):
            return None
        if self.runner is None:
            self.seen += factors[..., 0].numel() * stack.orders.shape[1]
            pays = self.seen >= (KEPT_PAYS if _is_compiled() else COMPILING_PAYS)
            # Other threads go on without it.
            if not pays or not self.preparing.acquire(blocking=False):
                return None
            try:
                self._prepare(stack, factors)
            finally:
                self.preparing.release()
        return None if self.runner is None else _footprint(self.runner, factors)

    def prepare(self) -> None:
        """Have machine code loaded, or compiled, for the next batch, however small."""
        self.seen = COMPILING_PAYS

    def _prepare(self, stack: RelaxedStack, factors: Tensor) -> None:
        if self.runner is not None:
            return
        try:
            runner = runner_of(stack)
        except NotRecordableError:
            self.refused = True
            return
        same = agrees(
            lambda each: _footprint(runner, each).parts,
            lambda each: stack.of_factors(each, NEST_LATENCY).parts,
            factors,
        )
        if same:
            self.runner = runner
        else:
            self.refused = True


def runner_of(stack: RelaxedStack) -> Runner:
    """Record a stack's footprints; ``NotRecordableError`` where that is impossible."""
    from tilegrad.tape.recording import SAMPLED_ORDERS, Sample, recorded
    from tilegrad.tape.runner import Runner

    layer, factors = stack.sample(SAMPLED_ORDERS)
    every = stack.orders.flatten(0, 1).flatten(1)
    sample = Sample(
        factors,
        (layer.bounds, layer.stack.strides),
        layer.orders,
        layer.before_logs,
        stack.orders.shape[1],
        [frozenset(map(float, column.unique().tolist())) for column in every.unbind(1)],
    )
    layers = torch.cat([stack.bounds, stack.stack.strides], -1)
    return Runner(recorded(sample), layers, stack.orders.flatten(2))


def _footprint(runner: Runner, factors: Tensor) -> Footprint:
    """Return the footprints ``[start, layer, order]``: logarithms are the tensor library's own."""
    sums = with_logs(runner(factors))
    return sums.expand(*sums.energy_words.shape[:-1])


def agrees(
    one: Callable[[Tensor], Sequence[Tensor]],
    other: Callable[[Tensor], Sequence[Tensor]],
    factors: Tensor,
) -> bool:
    """Return whether two functions' parts and gradients at ``factors`` are equal to the last bit.

    Gradients of the parts' sum, weighted at random.
    """
    found = []
    for function in (one, other):
        values = factors.detach().requires_grad_(True)
        parts = function(values)
        random = torch.Generator().manual_seed(0)
        ends = [part for part in parts if part.requires_grad]
        weights = [torch.rand(end.shape, generator=random, dtype=end.dtype) for end in ends]
        found.append([*parts, *torch.autograd.grad(ends, values, weights)])
    same, also = found
    return len(same) == len(also) and all(map(torch.equal, same, also))


def _is_plain(factors: Tensor) -> bool:
    """Return whether factors are values on the processor whose gradients are asked for."""
    follows = factors.requires_grad and torch.is_grad_enabled()
    return follows and factors.device.type == "cpu" and factors.dtype == torch.float64


@lru_cache(maxsize=1)
def _is_compiled() -> bool:
    from tilegrad.tape.runner import is_compiled

    return is_compiled()

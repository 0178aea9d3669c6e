"""A recording as one operation with a gradient."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float64
from torch import Tensor

from tilegrad.machine_code import code_directory, is_kept
from tilegrad.tape.code import Code
from tilegrad.tape.recording import Recording


def kernel_directory() -> str:
    """Return where the machine code is kept between runs; empty: nowhere."""
    return code_directory(Path(__file__).parent, ("kernel", "vectors", "operations", "code"))


def is_compiled() -> bool:
    """Return whether machine code was compiled before."""
    return is_kept(kernel_directory(), "kernel.run-*.nbc")


class Runner:
    """Runs a recording for ``layers [layer, figure]`` and their ``ordered [layer, order, figure]``.

    On the processor, in float64, on the thread that calls.
    """

    def __init__(self, recording: Recording, layers: Tensor, ordered: Tensor) -> None:
        self.recording = recording
        self.layers = layers.double().contiguous().numpy()
        self.ordered = ordered.double().contiguous().numpy()

    def __call__(self, factors: Float64[Tensor, "start layer factor"]) -> tuple[Tensor, ...]:
        """Return the parts, ``[start, layer, order, column]`` each, or of one order for all."""
        found: tuple[Tensor, ...] = _Run.apply(factors, self)
        return found

    def parts(self, factors: Tensor) -> tuple[Tensor, ...]:
        """Return the parts without gradients."""
        orders = self.ordered.shape[1]
        sizes = zip(self.recording.ordered, self.recording.widths, strict=True)
        parts = tuple(
            factors.new_empty(*factors.shape[:-1], orders if ordered else 1, width)
            for ordered, width in sizes
        )
        self._run(self.recording.forward, factors, _nothing(parts), parts, factors)
        return parts

    def gradient(self, factors: Tensor, cotangents: Sequence[Tensor]) -> Tensor:
        """Return the factors' gradient from those of the parts."""
        gradient = torch.empty_like(factors)
        code = self.recording.backward
        self._run(code, factors, cotangents, _nothing(cotangents), gradient)
        return gradient

    def _run(
        self,
        code: Code,
        factors: Tensor,
        cotangents: Sequence[Tensor],
        parts: Sequence[Tensor],
        gradient: Tensor,
    ) -> None:
        # Numba's import takes most of a second.
        from tilegrad.tape.kernel import Given, Written, run

        given = Given(_rows(factors), self.layers, self.ordered, tuple(map(_rows, cotangents)))
        run(code, given, Written(tuple(map(_rows, parts)), _rows(gradient)))


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, factors: Tensor, runner: Runner) -> tuple[Tensor, ...]:
        ctx.runner = runner
        factors = factors.contiguous()
        ctx.save_for_backward(factors)
        parts = runner.parts(factors)
        follows = runner.recording.follows
        still = [part for part, each in zip(parts, follows, strict=True) if not each]
        ctx.mark_non_differentiable(*still)
        return parts

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor, None]:
        (factors,) = ctx.saved_tensors
        return ctx.runner.gradient(factors, cotangents), None


def _rows(tensor: Tensor) -> Any:
    """Return ``[row, ...]`` of ``[start, layer, ...]``."""
    return tensor.detach().contiguous().flatten(0, 1).numpy()


def _nothing(parts: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return tuple(part.new_empty(0, 1, 0, 0) for part in parts)

"""Devices without a device: tensors that lie elsewhere, and factories that forget where.

A fake tensor has a device, a shape and no values: what asks for a value (``.item()``, ``bool``, a
mask as index) would make a GPU wait, and raises here; so does what mixes devices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode

Move = Callable[[Tensor], Tensor]

ELSEWHERE = "meta"

FACTORIES = (
    torch.tensor, torch.zeros, torch.ones, torch.full, torch.empty, torch.arange, torch.eye,
    torch.linspace, torch.rand, torch.randint, torch.randperm,
)  # fmt: skip


class DeviceNamed(TorchFunctionMode):
    """Refuses factories that are not told a device: theirs would be the CPU's."""

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        forgets = func is torch.as_tensor and not isinstance(args[0], Tensor)
        if (func in FACTORIES or forgets) and kwargs.get("device") is None:
            raise AssertionError(f"{func.__name__} is not told a device")
        return func(*args, **kwargs)


@contextmanager
def elsewhere() -> Iterator[Move]:
    """Give what moves a tensor to a device that is not the CPU.

    Its kind is ``meta``: a PyTorch without CUDA cannot index fake tensors of kind ``cuda``.
    """
    with FakeTensorMode(allow_non_fake_inputs=True), DeviceNamed():

        def move(tensor: Tensor) -> Tensor:
            return torch.empty(tensor.shape, dtype=tensor.dtype, device=ELSEWHERE)

        yield move

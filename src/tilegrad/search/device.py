"""Where a search descends: the processor, or a GPU by CUDA."""

from __future__ import annotations

import torch

from tilegrad.checks import choice
from tilegrad.errors import ConfigError

DEVICES = ("auto", "cpu", "cuda")


def search_device(device: object, ckpt: object) -> torch.device:
    """Return the device of ``cpu``, ``cuda`` or ``auto`` (CUDA where there is one).

    Raises ``ConfigError`` where there is no CUDA device, or a checkpoint (``ckpt``) is to give the
    latency, which the processor works out.
    """
    named = choice("device", device, DEVICES)
    if named == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            f"device is 'cuda', and PyTorch {torch.__version__} finds no CUDA device here; "
            "legal: cpu, or auto"
        )
    if named == "cuda" and ckpt is not None:
        raise ConfigError(
            f"device is 'cuda' and ckpt is {ckpt!r}, whose latency the processor works out; legal "
            "beside a checkpoint: cpu, or auto"
        )
    gpu = named == "cuda" or (named == "auto" and ckpt is None and torch.cuda.is_available())
    return torch.device("cuda" if gpu else "cpu")

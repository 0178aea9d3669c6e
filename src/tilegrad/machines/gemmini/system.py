"""The system around a Gemmini, as the accelerator's ``machine`` section states it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import log

from tilegrad.accelerator import Accelerator
from tilegrad.errors import ConfigError, unknown
from tilegrad.machines.gemmini.packets import BEATS

_OR_NONE = {
    "memory_cache_kb": "none",
    "issue_cycles": "as the machine of the training",
    "start_cycles": "as the machine of the training",
}


@dataclass(frozen=True)
class System:
    """What the machine's part of a program's time follows from; the defaults are the published's.

    ``cache_kb`` is the last-level cache; ``memory_latency`` are the cycles until the first bytes of
    a line come from DRAM, however long the rest takes; ``memory_cache_kb`` is a cache of the memory
    itself, from which most of what is fetched comes (FireSim's DDR3 has one), or 0 where there is
    none; ``warm`` is 1 where programs are measured after one on the same tensors, so that what fits
    in the cache is there, and 0 where they are the first.

    ``issue_cycles`` are those in which the processor issues a tile's instructions, ``start_cycles``
    those that a program of one empty tile takes; 0: what a predictor's training machine takes.
    """

    cache_kb: float = 512.0
    memory_latency: float = 100.0
    memory_cache_kb: float = 4096.0
    warm: float = 1.0
    issue_cycles: float = 0.0
    start_cycles: float = 0.0
    bus_bytes: float = 16.0
    bias: float = 0.0

    def __post_init__(self) -> None:
        for name in ("cache_kb", "memory_latency"):
            if not getattr(self, name) > 0:
                raise ConfigError(
                    f"accelerator.machine.{name} is {getattr(self, name):g}; legal: a number > 0"
                )
        for name, none in _OR_NONE.items():
            if not getattr(self, name) >= 0:
                raise ConfigError(
                    f"accelerator.machine.{name} is {getattr(self, name):g}; legal: a number > 0, "
                    f"or 0 ({none})"
                )
        meanings = {"warm": "(the program ran before)", "bias": "(programs add one)"}
        for name, meaning in meanings.items():
            if getattr(self, name) not in (0, 1):
                raise ConfigError(
                    f"accelerator.machine.{name} is {getattr(self, name):g}; legal: 1 {meaning} or "
                    "0"
                )
        if self.bus_bytes not in BEATS:
            raise ConfigError(
                f"accelerator.machine.bus_bytes is {self.bus_bytes:g}; legal: "
                f"{', '.join(map(str, BEATS))}"
            )

    @property
    def beat(self) -> int:
        """Bytes that the bus moves in a cycle."""
        return int(self.bus_bytes)

    @property
    def log_wait(self) -> float:
        """The log of how many times longer first bytes take than on the published machine."""
        return log(self.memory_latency / System.memory_latency)

    @classmethod
    def of(cls, accelerator: Accelerator) -> System:
        """Return the system that an accelerator's description states."""
        legal = [field.name for field in fields(cls)]
        for name in accelerator.machine:
            if name not in legal:
                raise ConfigError(unknown("fact", name, legal, "accelerator.machine"))
        return cls(**accelerator.machine)

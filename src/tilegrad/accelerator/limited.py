"""Accelerators with less bandwidth of DRAM than their description gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tilegrad.accelerator.accelerator import Accelerator
from tilegrad.accelerator.expression import constant
from tilegrad.checks import positive_number
from tilegrad.errors import ConfigError

BANDWIDTH = "dram_gbs"
"""The cap's name: gigabytes (1e9) a second, of reads and writes together."""

SHARED = "shared"


def with_bandwidth(accelerator: Accelerator, caps: Mapping[str, object] | None) -> Accelerator:
    """Return the accelerator with no more bandwidth of DRAM than ``caps`` allow.

    What needs more takes longer. Raises ``ConfigError`` where there is no clock to say how many
    words a cycle that is.
    """
    given = None if caps is None else caps.get(BANDWIDTH)
    if given is None:
        return accelerator
    field = f"caps.{BANDWIDTH}"
    most = positive_number(field, given)
    if accelerator.clock_mhz is None:
        raise ConfigError(
            f"{field} is of a clock, and accelerator {accelerator.name} has none; legal: "
            "accelerator.clock_mhz=NUMBER with it"
        )
    *inner, dram = accelerator.levels
    words = most * 1e3 / dram.bytes_per_word / accelerator.clock_mhz
    own = dram.bandwidth.get(SHARED)
    if own is not None and own.names:
        raise ConfigError(
            f"{field} caps the bandwidth of {dram.name}, which is {own.text} words a cycle; legal: "
            "where that is a number"
        )
    if own is not None and float(own({})) <= words:
        return accelerator
    limited = replace(dram, bandwidth={**dram.bandwidth, SHARED: constant(words)})
    return replace(accelerator, levels=(*inner, limited))

"""Freed memory is kept: what is allocated next takes no new pages from the system."""

from __future__ import annotations

import platform
import resource

import pytest
import torch

from tilegrad.memory import SETTINGS, keep_freed_memory

BLOCKS, WORDS, PAGES = 8, 1 << 18, 512
"""Freed together, they are more than glibc keeps on its own."""


def work() -> None:
    """Have some blocks at once."""
    _ = [torch.zeros(WORDS, dtype=torch.float64) for _ in range(BLOCKS)]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="memory is glibc's own to keep")
def test_blocks_are_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    assert keep_freed_memory()
    work()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        work()
    # Some at first, where memory lies between that others have.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 2 * BLOCKS * PAGES


@pytest.mark.parametrize("name", SETTINGS)
def test_users_settle_it_themselves(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1000000")
    assert not keep_freed_memory()

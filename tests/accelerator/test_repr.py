"""An accelerator's repr is its identity in checkpoints: the same in every process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tilegrad
from tests.helpers_slow import slow_but

SHOW = "from tilegrad.accelerator import load_accelerator as load; print(load({!r}))"


@pytest.mark.parametrize("name", slow_but(("gemmini", "eyeriss"), "gemmini"))
def test_the_repr_is_the_same_in_every_process(name: str) -> None:
    source = str(Path(tilegrad.__file__).parents[1])
    shown = [
        subprocess.run(
            [sys.executable, "-c", SHOW.format(name)],
            env={**os.environ, "PYTHONPATH": source, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert name in shown[0]
    assert shown[0] == shown[1]

"""Processor seconds before a command answers: ``python benchmarks/startup.py``.

Help, the error about a typo, the first step of a search, and ``import tilegrad``; the least of some
runs of each, user and system time together, which other work on the machine hardly changes.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile

RUNS = 3

COMMAND = "from tilegrad.cli import main; main({arguments})"

FIRST_STEP = """
import os
from tilegrad.search.runner import Runner
Runner.run = lambda *_: os._exit(0)
"""
"""Ends a search where its first step would begin; importing the runner costs what a search does."""

STARTS = {
    "import tilegrad": "import tilegrad",
    "tilegrad --help": COMMAND.format(arguments=["--help"]),
    "tilegrad search --help": COMMAND.format(arguments=["search", "--help"]),
    "tilegrad train --help": COMMAND.format(arguments=["train", "--help"]),
    "tilegrad search sed=1": COMMAND.format(arguments=["search", "sed=1"]),
    "tilegrad train model=mpl": COMMAND.format(arguments=["train", "model=mpl"]),
    "first step of a search": FIRST_STEP + COMMAND.format(arguments=["search"]),
}


def processor_seconds(code: str) -> float:
    """Return what a fresh process of Python spends on ``code``."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as empty:
        subprocess.run([sys.executable, "-c", code], cwd=empty, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a table."""
    for name, code in STARTS.items():
        print(f"{name:26} {min(processor_seconds(code) for _ in range(RUNS)):5.2f} s")


if __name__ == "__main__":
    main()

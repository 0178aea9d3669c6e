"""Commands in processes of their own, forked from one that has all their imports behind it."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import time
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [f"tilegrad.commands.{name}" for name in ("search", "train", "compare")]
    + ["tilegrad.sweeps.summary"]
)


@dataclass(frozen=True)
class Child:
    """A command at work; ``log`` holds what it prints."""

    process: ForkServerProcess
    log: Path

    def end(self) -> tuple[int, str]:
        """Wait for its end; return the exit code and what it printed."""
        self.process.join(300)
        assert self.process.exitcode is not None
        return self.process.exitcode, self.log.read_text()

    def kill_after(self, seconds: float) -> bool:
        """Kill it without warning; return whether it was still at work."""
        time.sleep(seconds)
        self.process.kill()
        self.process.join(60)
        return self.process.exitcode != 0


def warm() -> None:
    """Wait until the process to fork from has its imports behind it."""
    process = _CONTEXT.Process(target=int)
    process.start()
    process.join(300)


def start(
    command: str, arguments: list[str], directory: Path, log: Path, most: int | None = None
) -> Child:
    """Start a command in a directory; ``most``: bytes that a file may have."""
    given: Any = (command, arguments, str(directory), str(log), most)
    process = _CONTEXT.Process(target=work, args=given)
    process.start()
    return Child(process, log)


def work(command: str, arguments: list[str], directory: str, log: str, most: int | None) -> None:
    """Run a command as a process of its own would."""
    from tilegrad.application import run
    from tilegrad.search import runner

    # Every unit of a search is saved, so that a kill can come between any two.
    vars(runner)["CHECKPOINT_SECONDS"] = 0.0
    os.chdir(directory)
    printed = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(printed, stream)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    if most is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    code = run(command, arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

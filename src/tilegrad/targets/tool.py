"""External tools as processes: one line for whatever goes wrong with them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from tilegrad.errors import TilegradError

_RUNNING: set[subprocess.Popen[bytes]] = set()

Item = TypeVar("Item")
Found = TypeVar("Found")


class ToolError(TilegradError):
    """An external tool is missing, crashed, hung or printed what cannot be read."""


def at_once(run: Callable[[Item], Found], items: Sequence[Item], workers: int) -> list[Found]:
    """Return ``run`` of each item, several at once; Ctrl-C ends what they execute."""
    with ThreadPoolExecutor(workers) as threads:
        try:
            return list(threads.map(run, items))
        except KeyboardInterrupt:
            threads.shutdown(wait=False, cancel_futures=True)
            for process in list(_RUNNING):
                _end(process)
            raise


def execute(command: Sequence[str], directory: Path, timeout: float, log: Path) -> None:
    """Run a command in ``directory`` for at most ``timeout`` seconds; all that it prints: ``log``.

    Whatever it started ends with it. Raises ``ToolError`` where it cannot start, hangs or fails.
    """
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                command,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ToolError(f"cannot be started ({error.strerror})") from None
        _RUNNING.add(process)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise ToolError(f"no answer within {timeout:g} s; ended") from None
        finally:
            _end(process)
            _RUNNING.discard(process)
    if code != 0:
        raise ToolError(f"ended with code {code}: {_last_line(log)}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and its children; its group is its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_line(log: Path) -> str:
    said = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(said) if line.strip()), "no message")[:200]

"""Runs ``timeloop-model`` on exported layers: in parallel, with time-outs, cached by content."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tilegrad.targets.timeloop.stats import Stats, parse_stats
from tilegrad.targets.tool import ToolError, at_once, execute

SHARED = ("architecture.yaml", "ERT.yaml", "ART.yaml")
OWN = ("problem.yaml", "mapping.yaml")
STATS = "timeloop-model.stats.txt"


@dataclass(frozen=True)
class ModelRunner:
    """How to run the tool: its command, seconds per layer, how many at once, where to cache."""

    command: str
    timeout: float
    workers: int
    cache: Path

    def find(self) -> str:
        """Return the executable's path; ``ToolError`` where it is not on PATH."""
        found = shutil.which(self.command)
        if found is None:
            raise ToolError(f"{self.command} is not on PATH; the result has no figures of Timeloop")
        return found

    def run(self, directories: Sequence[Path]) -> list[Stats | ToolError]:
        """Return the figures of each layer's directory, or what went wrong with it."""
        executable = self.find()
        return at_once(lambda d: self._attempt(executable, d), directories, self.workers)

    def _attempt(self, executable: str, directory: Path) -> Stats | ToolError:
        try:
            return self._evaluate(executable, directory)
        except ToolError as error:
            return ToolError(f"{directory.name}: {self.command}: {error}")

    def _evaluate(self, executable: str, directory: Path) -> Stats:
        inputs = [directory.parent / name for name in SHARED] + [directory / name for name in OWN]
        cached = self.cache / f"{_digest(executable, inputs)}.txt"
        if cached.exists():
            return parse_stats(cached.read_text(encoding="utf-8", errors="replace"))
        text = self._execute([executable, *(str(path.resolve()) for path in inputs)])
        stats = parse_stats(text)
        self.cache.mkdir(parents=True, exist_ok=True)
        temporary = cached.with_name(f".{cached.name}.{directory.name}")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(cached)
        return stats

    def _execute(self, command: Sequence[str]) -> str:
        with tempfile.TemporaryDirectory() as scratch:
            execute(command, Path(scratch), self.timeout, Path(scratch) / "printed.txt")
            stats = Path(scratch) / STATS
            if not stats.exists():
                raise ToolError(f"wrote no {STATS}")
            return stats.read_text(encoding="utf-8", errors="replace")


def _digest(executable: str, inputs: Sequence[Path]) -> str:
    status = Path(executable).stat()
    digest = hashlib.sha256(f"{executable} {status.st_mtime_ns} {status.st_size}".encode())
    for path in inputs:
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:32]

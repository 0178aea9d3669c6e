"""Programs that share one boot of a machine: one after another, their logs taken apart again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tilegrad.files import write_text
from tilegrad.targets.gemmini.program import boot_program

_BEGINS = re.compile(r"tilegrad: begin (\S+)")


@dataclass(frozen=True)
class Cycles:
    """Of the first execution of a program, with nothing of it in the caches, and of the last."""

    cold: int
    warm: int

    def as_measured(self, warm: float) -> int:
        """Return those of a machine whose programs are ``warm`` (1) or not (0)."""
        return self.warm if warm else self.cold


def groups(programs: Sequence[Path], size: int) -> Iterator[tuple[Path, ...]]:
    """Yield up to ``size`` programs at a time, in order."""
    rest = iter(programs)
    while group := tuple(islice(rest, size)):
        yield group


def boot_source(exported: Path, programs: Sequence[Path]) -> Path:
    """Return the C file that runs all programs: a lone one's own, else one that is written."""
    if len(programs) == 1:
        return programs[0]
    keys = [program.stem for program in programs]
    texts = [program.read_text(encoding="utf-8") for program in programs]
    source = exported / "boots" / f"{keys[0]}_and_{len(keys) - 1}_more.c"
    source.parent.mkdir(exist_ok=True)
    write_text(source, boot_program(keys, texts))
    return source


def taken_apart(log: str) -> dict[str, str]:
    """Return what a log holds of each program by name, in order; what stands before is the first's.

    A program's part ends where the next one begins.
    """
    parts: dict[str, str] = {}
    key, held = "", ""
    for line in log.splitlines(keepends=True):
        found = _BEGINS.search(line)
        if found is not None and found[1] != key:
            if key:
                parts[key], held = held, ""
            key = found[1]
        held += line
    return {**parts, key: held} if key else {}

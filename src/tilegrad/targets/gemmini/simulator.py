"""Runs exported programs on a user's simulator: several at once, with time-outs, logs kept."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, prod
from pathlib import Path

import torch

from tilegrad.errors import ConfigError, DataError, unknown
from tilegrad.files import write_text
from tilegrad.fingerprint.digests import digest, file_digest
from tilegrad.machines.gemmini.template import PARAMETERS, array_side
from tilegrad.shape.conv import DIMS
from tilegrad.targets.gemmini.record import Measurement, read_log
from tilegrad.targets.tool import ToolError, at_once, execute

_BEGINS = re.compile(r'printf\("(tilegrad: begin .+?)\\n"\)')


@dataclass(frozen=True)
class Simulator:
    """The command, its arguments, the compiler's command, seconds a process, how many at once.

    ``exported`` holds the programs; logs and what is compiled lie beside them.
    """

    command: str
    arguments: tuple[str, ...]
    compile: str | None
    timeout: float
    workers: int
    exported: Path

    def run(self, programs: Sequence[Path]) -> dict[str, int | ToolError]:
        """Return the cycles of the last execution of each program, or what went wrong, by name.

        Raises ``ToolError`` where there is no such simulator or compiler.
        """
        simulator = _executable("target.simulator", self.command)
        if self.compile is not None:
            _executable("target.compile", shlex.split(self.compile)[0])
        for folder in ("logs", "built"):
            (self.exported / folder).mkdir(exist_ok=True)
        found = at_once(lambda program: self._attempt(simulator, program), programs, self.workers)
        return {program.stem: each for program, each in zip(programs, found, strict=True)}

    def _attempt(self, simulator: str, source: Path) -> int | ToolError:
        try:
            return self._measure(simulator, source.resolve())
        except (ToolError, DataError) as error:
            return ToolError(f"{source.stem}: {error}")

    def _measure(self, simulator: str, source: Path) -> int:
        """Return a program's cycles; of one that was measured before, out of its log."""
        log, key = (self._beside("logs", source, ending) for ending in (".log", ".key"))
        asked = self._asked(simulator, source)
        if not key.exists() or key.read_text(encoding="utf-8") != asked or not log.exists():
            key.unlink(missing_ok=True)
            self._execute(simulator, source, log)
        cycles = self._read(source, log)
        write_text(key, asked)
        return cycles

    def _asked(self, simulator: str, source: Path) -> str:
        """Return a digest of all that decides what a program's log holds."""
        header = self.exported / "include" / "gemmini_params.h"
        files = [file_digest(each) for each in (Path(simulator), source, header) if each.exists()]
        return digest([*files, *self.arguments, self.compile])

    def _execute(self, simulator: str, source: Path, log: Path) -> None:
        program = self._compiled(source)
        arguments = [_filled(each, {"program": program}) for each in self.arguments]
        try:
            execute([simulator, *arguments], self.exported, self.timeout, log)
        except ToolError as error:
            raise ToolError(f"{self.command}: {error}") from None

    def _read(self, source: Path, log: Path) -> int:
        measured = list(read_log(log, PARAMETERS))
        begins = _BEGINS.search(source.read_text(encoding="utf-8"))
        assert begins is not None
        printed = log.read_text(encoding="utf-8", errors="replace")
        if begins[1] not in printed or any(each.layer != source.stem for each in measured):
            raise ToolError(f"{log} is of another program")
        for each in measured:
            _check_cycles(each)
        return measured[-1].cycles

    def _compiled(self, source: Path) -> Path:
        """Return what the simulator takes: the compiled program, or the C file itself."""
        if self.compile is None:
            return source
        program = self._beside("built", source, ".riscv")
        places = {"source": source, "program": program, "export": self.exported.resolve()}
        command = [_filled(part, places) for part in shlex.split(self.compile)]
        command[0] = _executable("target.compile", command[0])
        log = self._beside("logs", source, ".compile.log")
        try:
            execute(command, self.exported, self.timeout, log)
        except ToolError as error:
            raise ToolError(f"target.compile: {error}") from None
        if not program.exists():
            raise ToolError("target.compile wrote no {program}")
        return program

    def _beside(self, folder: str, source: Path, ending: str) -> Path:
        return self.exported.resolve() / folder / f"{source.stem}{ending}"


def check_arguments(arguments: object) -> None:
    """Refuse arguments that are no list, or say nowhere what to run."""
    listed = isinstance(arguments, Sequence) and not isinstance(arguments, str)
    if not listed or not any("{program}" in str(each) for each in arguments):  # type: ignore[attr-defined]
        raise ConfigError(
            f"target.arguments is {arguments!r}; legal: a list of texts, {{program}} in one of them"
        )
    _check_places("target.arguments", map(str, arguments), ("program",))  # type: ignore[call-overload]


def check_compiler(command: str) -> None:
    """Refuse a command that says nowhere what to compile or where to."""
    try:
        parts = shlex.split(command)
    except ValueError as error:
        raise ConfigError(f"target.compile is {command!r} ({error}); legal: a command") from None
    if not parts or "{source}" not in command or "{program}" not in command:
        raise ConfigError(
            f"target.compile is {command!r}; legal: null, or a command with {{source}} and "
            "{program} (and {export}, the directory of include/)"
        )
    _check_places("target.compile", parts, ("source", "program", "export"))


def _check_places(field: str, parts: Iterable[str], legal: Sequence[str]) -> None:
    for part in parts:
        for name in re.findall(r"{(\w+)}", part):
            if name not in legal:
                raise ConfigError(unknown("place", name, legal, field))


def _filled(text: str, places: dict[str, Path]) -> str:
    for name, path in places.items():
        text = text.replace(f"{{{name}}}", str(path))
    return text


def _executable(field: str, command: str) -> str:
    found = shutil.which(command)
    if found is None:
        raise ToolError(
            f"{field} {command} is not on PATH and no executable file; nothing was measured"
        )
    return str(Path(found).resolve())


def _check_cycles(measured: Measurement) -> None:
    """Refuse fewer cycles than the array computes for."""
    side = int(array_side(torch.tensor(measured.hardware["pe_dim"], dtype=torch.float64)))
    least = ceil(prod(measured.problem[dim] for dim in DIMS) / side**2)
    if measured.cycles < least:
        raise ToolError(
            f"{measured.cycles:,} cycles, fewer than the {least:,} that {side} x {side} PEs need"
        )

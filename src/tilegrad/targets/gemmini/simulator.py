"""Runs exported programs on a user's simulator: several at once, with time-outs, logs kept."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil, prod
from pathlib import Path

import torch

from tilegrad.errors import ConfigError, DataError, unknown
from tilegrad.files import write_text
from tilegrad.fingerprint.digests import digest, file_digest
from tilegrad.machines.gemmini.template import PARAMETERS, array_side
from tilegrad.shape.conv import DIMS
from tilegrad.targets.gemmini.boots import Cycles, boot_source, groups, taken_apart
from tilegrad.targets.gemmini.record import Measurement, read_log
from tilegrad.targets.tool import ToolError, at_once, execute

_BEGINS = re.compile(r'printf\("(tilegrad: begin .+?)\\n"\)')


Found = Cycles | ToolError


@dataclass(frozen=True)
class Simulator:
    """The command, its arguments, the compiler's command, seconds a program, how many at once.

    ``exported`` holds the programs; logs and what is compiled lie beside them. Up to ``per_boot``
    programs run in one process; ``verify``: the results of all are compared with a reference.
    """

    command: str
    arguments: tuple[str, ...]
    compile: str | None
    timeout: float
    workers: int
    exported: Path
    per_boot: int = 1
    verify: bool = True

    def run(self, programs: Sequence[Path]) -> dict[str, Found]:
        """Return the cycles of each program, or what went wrong, by name.

        Of programs that share a boot, those that were not reached as one before them failed run
        again, alone. Raises ``ToolError`` where there is no such simulator or compiler.
        """
        simulator = _executable("target.simulator", self.command)
        if self.compile is not None:
            _executable("target.compile", shlex.split(self.compile)[0])
        for folder in ("logs", "built"):
            (self.exported / folder).mkdir(exist_ok=True)
        programs = [program.resolve() for program in programs]
        found: dict[str, Found | None] = {
            source.stem: self._known(simulator, source) for source in programs
        }
        for together in (self.per_boot, 1):
            left = [source for source in programs if found[source.stem] is None]
            boots = list(groups(left, together))
            for ended in at_once(partial(self._booted, simulator), boots, self.workers):
                found |= ended
        return {name: each for name, each in found.items() if each is not None}

    def _known(self, simulator: str, source: Path) -> Cycles | None:
        """Return the cycles of a program that was measured before, out of its log."""
        log, key = self._beside("logs", source, ".log"), self._beside("logs", source, ".key")
        asked = self._asked(simulator, source)
        if not key.exists() or key.read_text(encoding="utf-8") != asked or not log.exists():
            return None
        try:
            return self._read(source, log)
        except (ToolError, DataError):
            return None

    def _asked(self, simulator: str, source: Path) -> str:
        """Return a digest of all that decides what a program's log holds."""
        header = self.exported / "include" / "gemmini_params.h"
        files = [file_digest(each) for each in (Path(simulator), source, header) if each.exists()]
        return digest([*files, *self.arguments, self.compile, self.per_boot])

    def _booted(self, simulator: str, sources: tuple[Path, ...]) -> dict[str, Found | None]:
        """Return what came of programs in one boot, by name; None: not reached.

        What goes wrong is the fault of the last one that began, or of all if none did.
        """
        source = boot_source(self.exported.resolve(), sources)
        log = self._beside("logs", source, ".log")
        failure: ToolError | None = None
        for each in sources:
            self._beside("logs", each, ".key").unlink(missing_ok=True)
        log.unlink(missing_ok=True)
        try:
            self._execute(simulator, source, log, self.timeout * len(sources))
        except ToolError as error:
            failure = error
        printed = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        parts = {sources[0].stem: printed} if len(sources) == 1 else taken_apart(printed)
        last = next(reversed(parts), None)
        found: dict[str, Found | None] = {}
        for each in sources:
            if failure is None or (each.stem in parts and each.stem != last):
                write_text(self._beside("logs", each, ".log"), parts.get(each.stem, ""))
                found[each.stem] = self._noted(simulator, each)
            else:
                its = each.stem == last or not parts
                found[each.stem] = ToolError(f"{each.stem}: {failure}") if its else None
        return found

    def _noted(self, simulator: str, source: Path) -> Found:
        """Return what a program's log says, and note what it is the log of."""
        try:
            cycles = self._read(source, self._beside("logs", source, ".log"))
        except (ToolError, DataError) as error:
            return ToolError(f"{source.stem}: {error}")
        write_text(self._beside("logs", source, ".key"), self._asked(simulator, source))
        return cycles

    def _execute(self, simulator: str, source: Path, log: Path, timeout: float) -> None:
        program = self._compiled(source)
        arguments = [_filled(each, {"program": program}) for each in self.arguments]
        try:
            execute([simulator, *arguments], self.exported, timeout, log)
        except ToolError as error:
            raise ToolError(f"{self.command}: {error}") from None

    def _read(self, source: Path, log: Path) -> Cycles:
        measured = list(read_log(log, PARAMETERS))
        begins = _BEGINS.search(source.read_text(encoding="utf-8"))
        assert begins is not None
        printed = log.read_text(encoding="utf-8", errors="replace")
        if begins[1] not in printed or any(each.layer != source.stem for each in measured):
            raise ToolError(f"{log} is of another program")
        for each in measured:
            _check_cycles(each)
        last = measured[-1]
        if len(last.cycles) < 2:
            raise ToolError(f"{log} holds 1 execution (legal: a cold one and a warm one)")
        if self.verify and last.checksum is None:
            raise ToolError(f"{log} holds no result (legal: one, or target.verify=false)")
        last.check_result()
        return Cycles(last.cycles[0], last.cycles[-1])

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
    if min(measured.cycles) < least:
        fewest = min(measured.cycles)
        raise ToolError(
            f"{fewest:,} cycles, fewer than the {least:,} that {side} x {side} PEs need"
        )

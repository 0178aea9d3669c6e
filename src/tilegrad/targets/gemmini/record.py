"""The lines that an exported program prints, and reading them back.

    tilegrad: begin 000_conv1 check=1f3a5c7e pe_dim=16 ... R=7 S=7 ... mapping=L3[WIO]_K8_...
    tilegrad: end 000_conv1 cycles=123456
    tilegrad: end 000_conv1 cycles=120000
    tilegrad: result 000_conv1 checksum=0123456789abcdef

Every execution has an end, the first cold and the last warm; the result is of one more, on known
data, which not every program makes.

A call with a tile of its own, for which the mapping stands, is a further field of the beginning:
``call=tiled_matmul,tile_I=8,tile_J=4,tile_K=4``.

``bias=1`` says of a program that it adds a bias. ``check`` is the CRC-32 of what follows it, so
that a line mangled on its way is recognised. Other output may stand between the lines and before
them on theirs.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tilegrad.errors import DataError
from tilegrad.machines.gemmini.given import TILES, GivenCall
from tilegrad.targets.gemmini.data import expected_checksum
from tilegrad.workload import Problem

MARK = "tilegrad:"
CALL, BIAS = "call", "bias"
LARGEST_CYCLES = 2**53
_LINE = re.compile(r"tilegrad: (begin|end|result) (\S+) (.+)")


@dataclass(frozen=True)
class Measurement:
    """One program on Gemmini: what ran, on which hardware of the design, and the cycles.

    ``cycles`` are those of its executions in order, at least one; ``checksum`` is of its result.
    """

    layer: str
    problem: dict[str, int]
    hardware: dict[str, float]
    mapping: str
    cycles: tuple[int, ...]
    place: str
    call: GivenCall | None = None
    checksum: int | None = None
    biased: bool = False

    def check_result(self) -> None:
        """Refuse a wrong result; ``DataError`` names the line where the program began."""
        if self.checksum is None:
            return
        expected = expected_checksum(self.problem, self.biased)
        if self.checksum != expected:
            raise DataError(
                f"{self.place}: {self.layer!r} computed a wrong result (checksum "
                f"{self.checksum:016x}, of the right one {expected:016x})"
            )


def begin_line(
    key: str,
    problem: Problem,
    hardware: Mapping[str, float],
    mapping: str,
    call: GivenCall | None = None,
    biased: bool = False,
) -> str:
    """Return the line that says what is about to run; ``mapping`` is its shorthand."""
    fields = {**{name: f"{value:g}" for name, value in hardware.items()}, **problem.as_dict()}
    if call is not None:
        fields[CALL] = str(call).replace(" ", ",")
    if biased:
        fields[BIAS] = "1"
    text = " ".join(f"{name}={value}" for name, value in fields.items())
    body = f"{text} mapping={mapping.replace(' ', '_')}"
    return f"{MARK} begin {key} check={_check(body)} {body}"


def end_line(key: str, cycles: str) -> str:
    """Return the line that follows an execution; ``cycles`` is a number or a printf format."""
    return f"{MARK} end {key} cycles={cycles}"


def result_line(key: str, checksum: str) -> str:
    """Return the line of a result; ``checksum`` is of 16 digits or a printf format."""
    return f"{MARK} result {key} checksum={checksum}"


def _check(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


@dataclass
class _Begun:
    """A program whose beginning was read, and what it printed since."""

    fields: dict[str, str]
    mapping: str
    place: str
    cycles: list[int] = field(default_factory=list)
    checksum: int | None = None


def read_log(path: Path, parameters: Iterable[str]) -> Iterator[Measurement]:
    """Yield the measurements of a simulator's log, in order.

    ``parameters`` are the hardware's names. Raises ``DataError`` naming the file and line for a
    mangled line, cycles of nothing that began, and a program that never ended.
    """
    found: list[tuple[str, _Begun]] = []
    last: dict[str, _Begun] = {}
    for number, line in enumerate(_lines(path), start=1):
        if MARK not in line:
            continue
        place = f"{path}, line {number}"
        kind, key, rest = _taken_apart(line, place)
        if kind == "begin":
            last[key] = _begun(rest, place)
            found.append((key, last[key]))
        elif key not in last:
            raise DataError(f"{place}: {key!r} ends, but nothing of that name has begun before")
        elif kind == "end":
            last[key].cycles.append(_cycles(rest, place))
        else:
            last[key].checksum = _checksum(rest, place)
    for key, begun in found:
        if not begun.cycles:
            raise DataError(
                f"{begun.place}: {key!r} begins and never ends (was the simulation cut short?)"
            )
        yield _measurement(key, begun, tuple(parameters))
    if not found:
        raise DataError(
            f"{path}: holds no line '{MARK} begin ...' (legal: the output of programs that "
            "tilegrad export --target gemmini wrote)"
        )


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            yield from (line.strip("\0\r\n\t ") for line in file)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None


def _taken_apart(line: str, place: str) -> tuple[str, str, str]:
    match = _LINE.search(line)
    if match is None:
        raise DataError(
            f"{place}: {line[:120]!r} is mangled (legal: '{MARK} begin LAYER ...', "
            f"'{MARK} end LAYER cycles=N' or '{MARK} result LAYER checksum=HEX')"
        )
    return match[1], match[2], match[3].strip()


def _begun(rest: str, place: str) -> _Begun:
    check, _, body = rest.partition(" ")
    if check != f"check={_check(body)}":
        raise DataError(f"{place}: the line is mangled: its text and its {check!r} disagree")
    named = dict(field.partition("=")[::2] for field in body.split(" "))
    return _Begun(named, named.pop("mapping").replace("_", " "), place)


def _cycles(rest: str, place: str) -> int:
    match = re.fullmatch(r"cycles=(\d+)", rest, re.ASCII)
    if match is None or not 1 <= int(match[1]) <= LARGEST_CYCLES:
        raise DataError(
            f"{place}: {rest[:80]!r} (legal: cycles=N with N from 1 to {LARGEST_CYCLES})"
        )
    return int(match[1])


def _checksum(rest: str, place: str) -> int:
    match = re.fullmatch(r"checksum=([0-9a-f]{16})", rest)
    if match is None:
        raise DataError(f"{place}: {rest[:80]!r} (legal: checksum= and 16 hexadecimal digits)")
    return int(match[1], 16)


def _measurement(key: str, begun: _Begun, parameters: tuple[str, ...]) -> Measurement:
    missing = set(parameters) - set(begun.fields)
    if missing:
        raise DataError(
            f"{begun.place}: hardware parameter {min(missing)} is missing; the log is of another "
            f"accelerator (fields: {', '.join(begun.fields)})"
        )
    hardware = {name: float(begun.fields[name]) for name in parameters}
    rest = {name: text for name, text in begun.fields.items() if name not in hardware}
    said = rest.pop(CALL, None)
    call = None if said is None else GivenCall.read(said.replace(",", " "))
    if said is not None and call is None:
        raise DataError(f"{begun.place}: call {said!r} (legal: {', '.join(TILES)}, a tile)")
    biased = rest.pop(BIAS, "0") == "1"
    problem = Problem.from_fields(key, rest, where=begun.place)
    return Measurement(
        key,
        problem.as_dict(),
        hardware,
        begun.mapping,
        tuple(begun.cycles),
        begun.place,
        call,
        begun.checksum,
        biased,
    )

"""A search's result as a Gemmini: generator configuration, constants, one program per layer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tilegrad.accelerator import Accelerator
from tilegrad.errors import ConfigError, InfeasibleError
from tilegrad.machines.gemmini.generator import (
    ACCUMULATOR_BANKS,
    SCRATCHPAD_BANKS,
    Generator,
    generator,
)
from tilegrad.machines.gemmini.packets import LINE
from tilegrad.machines.gemmini.system import System
from tilegrad.machines.gemmini.template import ACCUMULATOR_BYTES, INPUT_BYTES, check_template
from tilegrad.mapping.covers import padding_text
from tilegrad.targets.design import Design, layer_directory, plain, read_design
from tilegrad.targets.gemmini.layers import called, obstacle, tiled
from tilegrad.targets.gemmini.program import program, same_tile, template


@dataclass(frozen=True)
class Exported:
    """The programs written, and a line for each layer that runs otherwise than found or not."""

    programs: tuple[Path, ...]
    notes: tuple[str, ...]


PADDED = "its mapping is padded, and the library runs no loops beyond a layer; search padding=none"


def export_gemmini(path: Path, accelerator: Accelerator, out: Path, check: bool = True) -> Exported:
    """Write a result's Gemmini under ``out``: Scala, header, a C program per layer, README.

    ``check``: programs also compute on known data and print the result's checksum.

    Raises ``ConfigError`` where the accelerator is no Gemmini or no layer can run on one, and as
    ``read_design`` does.
    """
    check_template(accelerator, "target gemmini")
    return write_gemmini(read_design(path, accelerator), out, str(path), check)


def write_gemmini(design: Design, out: Path, where: str = "design", check: bool = True) -> Exported:
    """Write a design of a Gemmini as ``export_gemmini`` does; ``where`` it is from, for errors."""
    built = generator(design.hardware)
    programs, notes = _programs(design, built, check)
    if not programs:
        raise ConfigError(f"{where}: Gemmini can run none of the layers: {'; '.join(notes)}")
    values = _values(design, built) | {
        "first": next(iter(programs)),
        "notes": "\n".join(f"- {note}" for note in notes),
    }
    written = {f"layers/{key}.c": text for key, text in programs.items()} | {
        file: template(name).substitute(values)
        for file, name in (
            ("TilegradConfigs.scala", "Config.scala"),
            ("include/gemmini_params.h", "gemmini_params.h"),
            ("README.md", "README.md"),
        )
    }
    for file, text in written.items():
        (out / file).parent.mkdir(parents=True, exist_ok=True)
        (out / file).write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    return Exported(tuple(out / f"layers/{key}.c" for key in programs), tuple(notes))


def _programs(design: Design, built: Generator, check: bool) -> tuple[dict[str, str], list[str]]:
    programs, notes = {}, []
    for number, (problem, found) in enumerate(design.layers):
        key = layer_directory(number, problem.name)
        call = design.call(number)
        padded = call is None and padding_text(problem, found)
        reason = PADDED if padded else obstacle(problem)
        if reason is None:
            try:
                layer = (
                    tiled(problem, found, built)
                    if call is None
                    else called(problem, found, built, call)
                )
            except InfeasibleError as error:
                reason = str(error)
        if reason is not None:
            notes.append(f"{key} has no program: {reason}")
            continue
        if not same_tile(layer, found):
            notes.append(f"{key} runs with a smaller tile than found, which its rows do not hold")
        programs[key] = program(
            key, layer, found, design.accelerator, design.hardware, design.workload, check
        )
    return programs, notes


def _values(design: Design, built: Generator) -> dict[str, object]:
    """Return what the templates name."""
    return {
        **{name: f"{value:g}" for name, value in design.hardware.items()},
        "workload": plain(design.workload),
        "dim": built.dim,
        "bus_bits": 8 * System.of(design.accelerator).beat,
        "partial_sum_bits": built.partial_sum_bits,
        "built_scratchpad_kb": built.scratchpad_kb,
        "built_accumulator_kb": built.accumulator_kb,
        "scratchpad_banks": SCRATCHPAD_BANKS,
        "accumulator_banks": ACCUMULATOR_BANKS,
        "bank_rows": built.bank_rows,
        "accumulator_rows": built.accumulator_rows,
        "block": max(1, LINE // (built.dim * INPUT_BYTES)),
        "accumulator_block": max(1, LINE // (built.dim * ACCUMULATOR_BYTES)),
    }

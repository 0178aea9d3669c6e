"""Gemmini's files: sizes that its generator accepts, programs that call it with the found tiles."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.targets.gemmini_design import LAYERS, STUB, execute, write_result
from tilegrad.accelerator import load_accelerator
from tilegrad.cli import main
from tilegrad.errors import ConfigError
from tilegrad.machines.gemmini.generator import generator
from tilegrad.targets.gemmini import export_gemmini
from tilegrad.targets.gemmini.boots import boot_source
from tilegrad.targets.gemmini.export import Exported
from tilegrad.targets.gemmini.record import read_log

compiled = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not on PATH")
ROCC = os.environ.get("GEMMINI_ROCC_TESTS")
REFEREE = """\
#define ROCC_SOFTWARE_SRC_XCUSTOM_H_
#define ROCC_INSTRUCTION_0_R_R(x, rs1, rs2, func7) { (void)(rs1); (void)(rs2); }
#define ROCC_INSTRUCTION(x, rd, rs1, rs2, func7) { (void)(rs1); (void)(rs2); rd = 0; }
__asm__(".macro fence\\n.endm\\n.macro rdcycle to\\n mov $7, \\\\to\\n.endm\\n");
"""
"""Included before Gemmini's own library: its instructions do nothing on this machine."""


def export(out: Path, *names: str) -> Exported:
    result = write_result(out / "run", names or tuple(LAYERS))
    return export_gemmini(result, load_accelerator("gemmini"), out)


@pytest.mark.parametrize("scratchpad_kb", [1, 33, 128, 142, 5000])
@pytest.mark.parametrize("accumulator_kb", [1, 32, 784, 6272])
@pytest.mark.parametrize("pe_dim", [2, 5, 16, 49, 128])
def test_the_generator_accepts_the_sizes(
    pe_dim: int, accumulator_kb: int, scratchpad_kb: int
) -> None:
    """The demands are the ``require`` lines of Gemmini's GemminiConfigs.scala."""
    built = generator(
        {"pe_dim": pe_dim, "scratchpad_kb": scratchpad_kb, "accumulator_kb": accumulator_kb}
    )
    assert built.dim >= pe_dim
    assert built.dim.bit_count() == built.bank_rows.bit_count() == 1
    assert built.bank_rows % built.dim == built.accumulator_rows % (2 * built.dim) == 0
    assert 4 * built.bank_rows // built.dim - 2 >= built.accumulator_rows // built.dim
    assert 4 * built.bank_rows * built.dim == built.scratchpad_kb * 1024
    assert 4 * built.accumulator_rows * built.dim == built.accumulator_kb * 1024
    assert built.scratchpad_kb >= 2 * scratchpad_kb
    assert built.accumulator_kb >= 2 * accumulator_kb


def test_the_default_design_is_gemminis_default(tmp_path: Path) -> None:
    """DIM, banks and rows are those of the header that comes with gemmini-rocc-tests."""
    export(tmp_path)
    header = (tmp_path / "include" / "gemmini_params.h").read_text()
    found = dict(re.findall(r"#define (\w+) (\d+)\n", header))
    expected = {"DIM": "16", "BANK_NUM": "4", "BANK_ROWS": "4096", "ACC_ROWS": "1024"}
    more = {"MAX_BLOCK_LEN": "4", "MAX_BLOCK_LEN_ACC": "1", "XCUSTOM_ACC": "3", "ADDR_LEN": "32"}
    assert found == found | expected | more
    scala = (tmp_path / "TilegradConfigs.scala").read_text()
    for line in (
        "meshRows = 16", "meshColumns = 16", "tileRows = 1", "tileColumns = 1",
        "sp_capacity = CapacityInKilobytes(256)", "acc_capacity = CapacityInKilobytes(64)",
        "spatialArrayOutputType = SInt(20.W)",
    ):  # fmt: skip
        assert line in scala


@compiled
@pytest.mark.parametrize(
    ("name", "call"),
    [
        (
            "matrix product",
            "matmul bounds 128 64 768 strides 768 64 64 scales 1 1 1 SCALE tile 4 1 48 1",
        ),
        (
            "ragged product",
            "matmul bounds 128 64 768 strides 768 64 64 scales 1 1 1 SCALE tile 1 1 48 1",
        ),
        (
            "fully connected",
            "matmul bounds 1 1000 512 strides 512 1000 1000 scales 1 1 1 SCALE tile 1 1 32 1",
        ),
        (
            "dilated/conv",
            "conv input 2 32 18 32 output 48 28 14 window 1 1 2 0 3 strides 32 48 48 SCALE "
            "tile 1 4 14 16 3 3 16 1",
        ),
        (
            "strided conv",
            "conv input 1 229 229 3 output 64 112 112 window 2 1 1 0 7 strides 3 64 64 SCALE "
            "tile 1 112 1 64 7 7 3 1",
        ),
    ],
)
def test_the_call_has_the_layers_bounds_and_the_found_tile(
    tmp_path: Path, name: str, call: str
) -> None:
    exported = export(tmp_path, name)
    assert exported.notes == ()
    lines = execute(exported.programs[0], f"-I{tmp_path}", f"-I{STUB}").splitlines()
    # Twice timed, and once more for its result.
    assert [re.sub(r"(?<= )0\.\d+|1e-\d+", "SCALE", line) for line in lines[1::2]] == [call] * 3
    assert lines[0].startswith("tilegrad: begin 000_")
    assert (lines[2].split()[-1], lines[4].split()[-1]) == ("cycles=1500", "cycles=1000")
    assert "checksum=" in lines[6]


@compiled
def test_programs_pass_a_strict_compiler(tmp_path: Path) -> None:
    for program in export(tmp_path).programs:
        strict = ["gcc", "-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror"]
        hidden = ["-Wno-unused-variable", f"-I{tmp_path}", f"-I{STUB}"]
        done = subprocess.run([*strict, *hidden, program], capture_output=True, text=True)
        assert done.stderr == ""


@compiled
def test_a_tile_of_too_many_rows_shrinks(tmp_path: Path) -> None:
    """Three channels occupy rows of sixteen: 22 x 454 rows of Inputs and 147 of Weights."""
    exported = export(tmp_path, "few channels")
    assert "smaller tile" in exported.notes[0]
    text = exported.programs[0].read_text()
    assert "the scratchpad than half of it has (10,135 of 8,192)" in text
    *_, batches, rows, columns, channels, krows, kcols, kchs, _ = re.findall(
        r"\d+", execute(exported.programs[0], f"-I{tmp_path}", f"-I{STUB}").splitlines()[1]
    )
    assert int(rows) * int(columns) <= 512
    assert (batches, channels, krows, kcols, kchs) == ("1", "16", "7", "7", "3")
    assert f"Q{112 // int(rows)}" in re.findall(r"run by this program  (.+)", text)[0].split()[1:3]


@pytest.mark.skipif(ROCC is None, reason="GEMMINI_ROCC_TESTS names no gemmini-rocc-tests")
def test_gemminis_own_library_takes_every_program(tmp_path: Path) -> None:
    """Compiled against its headers, and executed with its checks on and its instructions off."""
    referee = tmp_path / "referee.h"
    referee.write_text(REFEREE)
    for program in export(tmp_path).programs:
        includes = [f"-I{tmp_path}", f"-I{ROCC}"]
        subprocess.run(["gcc", "-fsyntax-only", *includes, program], check=True)
        subprocess.run(["gcc", "-fsyntax-only", f"-I{ROCC}", program], check=True)
        printed = execute(program, "-include", str(referee), *includes, "-lm")
        words = [line.split()[1] for line in printed.splitlines()]
        assert words == ["begin", "end", "end", "result"]


@pytest.mark.skipif(ROCC is None, reason="GEMMINI_ROCC_TESTS names no gemmini-rocc-tests")
@pytest.mark.parametrize("bias", [0, 1])
def test_gemminis_own_library_computes_the_reference(tmp_path: Path, bias: int) -> None:
    """All layers in one boot, on the processor: the library knows its calls without Gemmini."""
    (tmp_path / "referee.h").write_text(REFEREE)
    gemmini = load_accelerator("gemmini")
    machine = replace(gemmini, machine={**gemmini.machine, "bias": bias})
    exported = export_gemmini(write_result(tmp_path / "run"), machine, tmp_path)
    source = boot_source(tmp_path, exported.programs)
    source.write_text(source.read_text().replace(" WS);", " CPU);"))
    includes = ["-include", str(tmp_path / "referee.h"), f"-I{tmp_path}", f"-I{ROCC}", "-lm"]
    log = tmp_path / "log"
    # Time stands still there.
    log.write_text(execute(source, *includes).replace("cycles=0", "cycles=1"))
    measured = list(read_log(log, gemmini.parameters))
    assert len(measured) == len(LAYERS)
    for each in measured:
        assert each.checksum is not None
        each.check_result()


def test_layers_that_no_call_can_run_are_named(tmp_path: Path) -> None:
    shapes = [
        {"R": 5, "S": 20, "Wstride": 2, "Hstride": 2},
        {"Wstride": 1, "Hstride": 2},
        {"R": 3, "S": 3, "Wdilation": 1, "Hdilation": 2},
        {"K": 2**16},
    ]
    layers = [
        {"name": f"odd{n}", "problem": {**dict.fromkeys("RSPQCKN", 1), **shape}, "mapping": mapping}
        for n, shape in enumerate(shapes)
        for loops in ["".join(f" {dim}{shape[dim]}" for dim in "RSK" if dim in shape)]
        for mapping in [f"L3[WIO]{loops} N1 - L2[WI] N1 - L1[O] N1 - L0[W] N1"]
    ]
    good = {"name": "good", "problem": LAYERS["strided conv"][0]}
    good |= {"mapping": LAYERS["strided conv"][1]}
    result = write_result(tmp_path / "run", layers=[*layers, good])
    exported = export_gemmini(result, load_accelerator("gemmini"), tmp_path)
    assert [note.split(": ")[1] for note in exported.notes] == [
        "kernel 5 x 20 (legal for tiled_conv",
        "stride 1 x 2 (legal for tiled_conv",
        "dilation 1 x 2 (legal for tiled_conv",
        "K = 65536 (legal for tiled_conv",
    ]
    assert [program.name for program in exported.programs] == ["004_good.c"]
    result = write_result(tmp_path / "run", layers=layers)
    with pytest.raises(ConfigError, match="none of the layers: 000_odd0 has no program: kernel"):
        export_gemmini(result, load_accelerator("gemmini"), tmp_path)


def test_other_accelerators_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"simba is no Gemmini: levels Registers, Accumulation"):
        export_gemmini(tmp_path, load_accelerator("simba"), tmp_path)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_result(tmp_path / "run", ["few channels"])
    command = ["export", str(run), "--target", "gemmini", "--out", str(tmp_path / "out")]
    assert main(command) == 0
    printed = capsys.readouterr()
    assert "1 layers written" in printed.out
    assert printed.err.startswith("note: 000_few_channels runs with a smaller tile")
    assert main([*command[:-1], str(run / "result.json" / "out")]) == 2
    assert "cannot be written (Not a directory)" in capsys.readouterr().err
    assert main([*command, "--dialect", "0.4"]) == 2
    assert "--dialect 0.4 is Timeloop's" in capsys.readouterr().err

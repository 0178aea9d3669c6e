"""A layer's C program: its arrays, the call with the tile's factors, the log's lines."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from string import Template

from tilegrad.accelerator import Accelerator
from tilegrad.machines.gemmini.system import System
from tilegrad.mapping import LoopNest, format_shorthand
from tilegrad.targets.design import plain
from tilegrad.targets.gemmini.data import (
    BIAS_SEED,
    INCREMENT,
    INPUT_SEED,
    MULTIPLIER,
    WEIGHT_SEED,
    shift_of,
)
from tilegrad.targets.gemmini.layers import Tiled, in_order
from tilegrad.targets.gemmini.record import begin_line, end_line, result_line

PRODUCT_NAMES = ("A", "B", "C")
CONVOLUTION_NAMES = ("input", "weights", "output")
ALIGNED = "TILEGRAD_ALIGNED"

SAME_TILE = "Gemmini's library orders the loops over tiles (L3) itself; the tile is the found one"
IN_BLOCKS = ",\n * rounded up to whole blocks of the array."
AS_GIVEN = "The call and its tile are given; the found mapping, of as many tiles, stands for it."
SMALLER_TILE = (
    "Gemmini's library orders the loops over tiles (L3) itself. The found tile takes more rows of\n"
    " * {memory} than half of it has ({rows:,} of {most:,}), so a smaller one runs."
)


def template(name: str) -> Template:
    """Return one of the package's templates."""
    return Template((files(__package__) / "templates" / name).read_text(encoding="utf-8"))


def same_tile(layer: Tiled, found: LoopNest) -> bool:
    """Return whether the tile that runs is the found one."""
    # A call of its own is as it is; loops over groups are the library's, wherever they were found.
    nest = in_order(found, layer.problem)
    return bool((layer.nest.temporal == nest.temporal).all())


def program(
    key: str,
    layer: Tiled,
    found: LoopNest,
    accelerator: Accelerator,
    hardware: Mapping[str, float],
    workload: str,
    check: bool = True,
) -> str:
    """Return the C program of a layer; ``key`` names it in the log, ``hardware`` is the design's.

    ``found`` is the nest ``[level, dim]`` of the design; ``check``: whether the program computes on
    known data at last, and prints the result's checksum.
    """
    there = accelerator.running(layer.problem.shape)
    mapping = format_shorthand(layer.nest, there)
    scratchpad_rows, accumulator_rows = layer.rows
    inputs, weights, outputs = PRODUCT_NAMES if layer.is_product else CONVOLUTION_NAMES
    biased = bool(System.of(accelerator).bias)
    return template("layer.c").substitute(
        helpers=template("program.c").substitute(
            check=int(check), multiplier=MULTIPLIER, increment=INCREMENT
        ),
        function=function_name(key),
        name=plain(layer.problem.name),
        workload=plain(workload),
        found=format_shorthand(found, there),
        mapping=mapping,
        note=_note(layer, found),
        arrays=_arrays(layer, biased),
        fills=_fills((inputs, weights), layer, biased),
        outputs=outputs,
        result=result_line(key, "%016llx"),
        call=_call(layer, biased),
        dim=layer.generator.dim,
        scratchpad_rows=2 * scratchpad_rows,
        accumulator_rows=2 * accumulator_rows,
        begin=begin_line(key, layer.problem, hardware, mapping, layer.given, biased),
        end=end_line(key, "%llu"),
    )


def _note(layer: Tiled, found: LoopNest) -> str:
    if layer.given is not None:
        return AS_GIVEN
    if same_tile(layer, found):
        return SAME_TILE + (IN_BLOCKS if layer.is_product else ".")
    asked = Tiled(layer.problem, found, layer.generator)
    memories = zip(
        ("the scratchpad", "the accumulator"), asked.rows, layer.generator.tile_rows, strict=True
    )
    memory, rows, most = max(memories, key=lambda each: each[1] / each[2])
    return SMALLER_TILE.format(memory=memory, rows=rows, most=most)


def function_name(key: str) -> str:
    """Return the C function that runs a layer."""
    return f"layer_{re.sub(r'[^0-9A-Za-z]', '_', key)}"


def boot_program(keys: Sequence[str], programs: Sequence[str]) -> str:
    """Return one program that runs layers one after another, out of the program of each."""
    calls = "\n".join(f"  failed |= {function_name(key)}();" for key in keys)
    main = f"int main(void) {{\n  int failed = !tilegrad_started();\n{calls}\n  return failed;\n}}"
    return "\n".join(["#define TILEGRAD_BOOT", *programs, main, ""])


def _fills(operands: tuple[str, str], layer: Tiled, biased: bool) -> str:
    """Fill the operands with known data, and the bias with a byte of it, scaled as the sums are."""
    seeds = zip(operands, (INPUT_SEED, WEIGHT_SEED), strict=True)
    lines = [f"tilegrad_fill({name}, sizeof {name}, {seed});" for name, seed in seeds]
    if biased:
        filters, unit = layer.filters, 1 << shift_of(layer.problem.as_dict())
        lines += [
            f"tilegrad_fill(bias, sizeof bias, {BIAS_SEED});",
            f"for (int k = 0; k < {filters}; k++) bias[k] = (bias[k] >> 24) * {unit};",
        ]
    return "\n".join(f"      {line}" for line in lines)


def _arrays(layer: Tiled, biased: bool) -> str:
    """Declare the tensors; their values do not matter to the cycles."""
    b = layer.bounds
    shapes: tuple[tuple[int, ...], ...]
    if layer.is_product:
        rows, filters, channels = layer.product
        names, shapes = PRODUCT_NAMES, ((rows, channels), (channels, filters), (rows, filters))
    else:
        high, wide = layer.input_rows_columns
        names = CONVOLUTION_NAMES
        taps = (b["S"], b["R"], b["C"], b["K"])
        shapes = (
            (b["N"], high, wide, layer.groups * b["C"]),
            taps if layer.groups == 1 else (layer.groups, *taps),
            (b["N"], b["Q"], b["P"], layer.filters),
        )
    lines = [
        f"  static elem_t {name}{''.join(f'[{size}]' for size in shape)} row_align(1) {ALIGNED};"
        for name, shape in zip(names, shapes, strict=True)
    ]
    if biased:
        lines.append(f"  static acc_t bias[{layer.filters}] row_align_acc(1) {ALIGNED};")
    return "\n".join(lines)


def _scale(layer: Tiled) -> str:
    """Return what sums are multiplied by when they are stored; no cycles depend on it."""
    return f"0x1p-{shift_of(layer.problem.as_dict())}f"


def _call(layer: Tiled, biased: bool) -> str:
    if layer.is_product:
        return _matmul(layer, biased)
    return _depthwise(layer, biased) if layer.is_depthwise else _conv(layer, biased)


def _matmul(layer: Tiled, biased: bool) -> str:
    bias, pitch, repeating = ("bias", 0, "true") if biased else ("NULL", layer.bounds["K"], "false")
    rows, filters, channels = layer.product
    tile = layer.product_blocks
    return f"""\
  tiled_matmul({rows}, {filters}, {channels},
               (elem_t *)A, (elem_t *)B, {bias}, (elem_t *)C,
               {channels}, {filters}, {pitch}, {filters}, /* strides of A, B, D, C */
               MVIN_SCALE_IDENTITY, MVIN_SCALE_IDENTITY, MVIN_SCALE_IDENTITY,
               NO_ACTIVATION, {_scale(layer)}, 0, {repeating},
               {tile[0]}, {tile[1]}, {tile[2]}, /* tile_I, tile_J, tile_K in blocks of DIM */
               false, false, false, false, 0, WS);"""


def _depthwise(layer: Tiled, biased: bool) -> str:
    b, t = layer.bounds, layer.tile
    high, wide = layer.input_rows_columns
    window = f"{layer.problem.strides[0]}, 0, {b['R']}"
    tile = ", ".join(str(t[dim]) for dim in "NQPSR")
    return f"""\
  tiled_conv_dw({b["N"]}, {high}, {wide}, {layer.groups}, /* batch, input rows, columns, channels */
                {b["Q"]}, {b["P"]}, {window}, /* output rows, columns, stride, padding, kernel */
                {tile}, /* batches, porows, pocols, krows, kcols */
                (elem_t *)input, (elem_t *)weights, {_bias(biased)}, (elem_t *)output,
                NO_ACTIVATION, {_scale(layer)}, 0, 0, 0, WS);"""


def _conv(layer: Tiled, biased: bool) -> str:
    b, t = layer.bounds, layer.tile
    high, wide = layer.input_rows_columns
    stride, _, dilation, _ = layer.problem.strides
    loop, inputs, weights, filters = "", "", "", ""
    if layer.groups > 1:
        loop = f"  for (int g = 0; g < {layer.groups}; g++)\n"
        block = b["S"] * b["R"] * b["C"] * b["K"]
        inputs, weights, filters = (f" + g * {step}" for step in (b["C"], block, b["K"]))
    bias, output = _bias(biased, filters), f"(elem_t *)output{filters}"
    pitches = f"{layer.groups * b['C']}, {b['K']}, {layer.filters}"
    return f"""\
{loop}  tiled_conv({b["N"]}, {high}, {wide}, {b["C"]}, /* batch, input rows, columns, channels */
             {b["K"]}, {b["Q"]}, {b["P"]}, /* output channels, rows, columns */
             {stride}, 1, {dilation}, 0, {b["R"]}, /* stride, dilations, padding, kernel */
             {pitches}, /* strides of input, weights, output */
             false, false, false, false, false,
             {t["N"]}, {t["Q"]}, {t["P"]}, {t["K"]}, /* batches, porows, pocols, pochs */
             {t["S"]}, {t["R"]}, {t["C"]}, /* krows, kcols, kchs */
             (elem_t *)input{inputs}, (elem_t *)weights{weights}, {bias}, {output},
             NO_ACTIVATION, {_scale(layer)}, 0, 0, 0, WS);"""


def _bias(biased: bool, first: str = "") -> str:
    return f"bias{first}" if biased else "NULL"

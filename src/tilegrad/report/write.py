"""The report of a finished run: pictures, loop nests and one page, beside result.json."""

from __future__ import annotations

from pathlib import Path

from tilegrad.accelerator import Accelerator
from tilegrad.errors import DataError, MappingError
from tilegrad.files import write_bytes
from tilegrad.mapping import LoopNest, parse_shorthand, stack
from tilegrad.nest import find_layer_violations
from tilegrad.record import RESULT, Result, read_result
from tilegrad.report.figures import layer_figures, roof
from tilegrad.report.foremost import foremost, left_out
from tilegrad.report.history import read_history
from tilegrad.report.loopnest import loop_nest_text
from tilegrad.report.page import Page
from tilegrad.report.pictures import pictures
from tilegrad.workload import Workload, stacks_of


def write_report(directory: Path, accelerator: Accelerator, workload: Workload) -> list[Path]:
    """Write the report of the run in ``directory``; return the files.

    Every file is written whole or not at all. Raises ``TilegradError`` naming the file and field
    where ``result.json`` or ``history.csv`` is missing, malformed or of another workload.
    """
    result = read_result(directory)
    history = read_history(directory)
    place = str(directory / RESULT)
    _check_design(result, accelerator, workload, place)
    mappings = _mappings(result, accelerator, place)
    shown = foremost(result)
    kept = {id(layer) for layer in shown.layers}
    nests = [nest for nest, layer in zip(mappings, result.layers, strict=True) if id(layer) in kept]
    texts = [
        loop_nest_text(nest, accelerator, layer.problem)
        for nest, layer in zip(nests, shown.layers, strict=True)
    ]
    figures = layer_figures(shown, nests, accelerator)
    drawn = pictures(result, history, figures, roof(accelerator, result.hardware))
    page = Page(result, accelerator, figures, drawn, texts)
    rest = left_out(result)
    contents = {
        "edp_against_samples.png": drawn["curve"].png,
        **({"gap_against_seconds.png": drawn["gap"].png} if "gap" in drawn else {}),
        "layer_costs.png": drawn["costs"].png,
        "roofline.png": drawn["roofline"].png,
        "loop_nests.txt": "\n\n".join([*texts, *([f"{rest}\n"] if rest else [])]).encode(),
        "report.html": page.html().encode(),
    }
    for name, content in contents.items():
        write_bytes(directory / name, content)
    return [directory / name for name in contents]


def _check_design(result: Result, accelerator: Accelerator, workload: Workload, place: str) -> None:
    """Refuse a result of another accelerator or workload than those given."""
    for name in accelerator.parameters:
        if name not in result.hardware:
            raise DataError(f"{place}: field hardware.{name} is missing")
    known = set(workload.layers)
    for index, layer in enumerate(result.layers):
        if layer.problem not in known:
            raise DataError(
                f"{place}: layers[{index}], {layer.name!r}, is not a layer of the workload "
                f"{workload.name!r} (legal: equal name, count, bounds and strides)"
            )


def _mappings(result: Result, accelerator: Accelerator, place: str) -> list[LoopNest]:
    """Return the layers' mappings ``[level, dim]``; refuse one that is not legal for its layer."""
    mappings = []
    for index, layer in enumerate(result.layers):
        try:
            there = accelerator.running(layer.problem.shape)
            mappings.append(parse_shorthand(layer.mapping, there))
        except MappingError as error:
            raise DataError(f"{place}: field layers[{index}].mapping: {error}") from None
    stacks = stacks_of([layer.problem for layer in result.layers])
    for index, violations in find_layer_violations(stack(mappings), stacks, accelerator).items():
        for violation in violations:
            raise DataError(f"{place}: field layers[{index}].mapping: {violation.reason}")
    return mappings

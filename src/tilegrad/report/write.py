"""The report of a finished run: pictures, loop nests and one page, beside result.json."""

from __future__ import annotations

from pathlib import Path

from tilegrad.accelerator import Accelerator
from tilegrad.errors import DataError, MappingError
from tilegrad.files import write_bytes
from tilegrad.mapping import Mapping as LoopNest
from tilegrad.mapping import parse_shorthand
from tilegrad.mapping.validity import find_violations
from tilegrad.record import RESULT, LayerResult, Result, read_result
from tilegrad.report.figures import layer_figures, roof
from tilegrad.report.history import read_history
from tilegrad.report.loopnest import loop_nest_text
from tilegrad.report.page import Page
from tilegrad.report.pictures import pictures
from tilegrad.workload import Workload


def write_report(directory: Path, accelerator: Accelerator, workload: Workload) -> list[Path]:
    """Write the report of the run in ``directory``; return the files.

    Every file is written whole or not at all. Raises ``TilegradError`` naming the file and field
    where ``result.json`` or ``history.csv`` is missing, malformed or of another workload.
    """
    result = read_result(directory)
    history = read_history(directory)
    place = str(directory / RESULT)
    _check_design(result, accelerator, workload, place)
    mappings = [
        _mapping(layer, accelerator, f"{place}: field layers[{index}].mapping")
        for index, layer in enumerate(result.layers)
    ]
    texts = [
        loop_nest_text(mapping, accelerator, layer.problem)
        for mapping, layer in zip(mappings, result.layers, strict=True)
    ]
    figures = layer_figures(result, mappings, accelerator)
    shown = pictures(result, history, figures, roof(accelerator, result.hardware))
    page = Page(result, accelerator, figures, shown, texts)
    contents = {
        "edp_against_samples.png": shown["curve"].png,
        "layer_costs.png": shown["costs"].png,
        "roofline.png": shown["roofline"].png,
        "loop_nests.txt": "\n\n".join(texts).encode(),
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
    for index, layer in enumerate(result.layers):
        if layer.problem not in workload.layers:
            raise DataError(
                f"{place}: layers[{index}], {layer.name!r}, is not a layer of the workload "
                f"{workload.name!r} (legal: equal name, count, bounds and strides)"
            )


def _mapping(layer: LayerResult, accelerator: Accelerator, place: str) -> LoopNest:
    """Return a layer's mapping; refuse one that is not legal for it."""
    try:
        mapping = parse_shorthand(layer.mapping, accelerator)
    except MappingError as error:
        raise DataError(f"{place}: {error}") from None
    bounds = mapping.temporal.new_tensor([layer.problem.bounds])
    for violation in find_violations(mapping.each(lambda t: t[None]), bounds, accelerator).get(
        0, []
    ):
        raise DataError(f"{place}: {violation.reason}")
    return mapping

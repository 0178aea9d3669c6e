"""An ONNX model as it is needed: read, its symbols replaced, the shapes of all tensors inferred."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tilegrad.errors import WorkloadError
from tilegrad.extras import required
from tilegrad.workload.values import parse_positive

STANDARD = ("", "ai.onnx")
"""Domains of ONNX's own operators."""


def load_model(path: Path, symbols: Mapping[str, int]) -> Any:
    """Return the ``ModelProto`` of a file with the shapes of its tensors, without its weights.

    Raises ``WorkloadError`` naming a file that is none, a symbol without a value, an input without
    a size, or the operator whose shapes do not fit.
    """
    onnx = required("onnx", "onnx", "workload=onnx")
    if not path.is_file():
        raise WorkloadError(f"{path}: no such file (legal: an .onnx file)")
    try:
        model = onnx.load(str(path), load_external_data=False)
        if not model.graph.node:
            raise ValueError("it has no operators")
    except Exception as error:
        raise WorkloadError(
            f"{path}: cannot be read as an ONNX model, perhaps truncated: {_told(error)}"
        ) from error
    _replace_symbols(model.graph, symbols, str(path))
    try:
        if model.functions:
            model = import_inliner().inline_local_functions(model)
        _forget_unsized(model.graph)
        return onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except Exception as error:
        raise WorkloadError(
            f"{path}: the shapes of its tensors do not fit together: {_told(error)}"
        ) from error


def import_inliner() -> Any:
    """Return the part of ``onnx`` that puts functions' operators in the place of their calls."""
    return required("onnx.inliner", "onnx", "workload=onnx")


def _replace_symbols(graph: Any, symbols: Mapping[str, int], path: str) -> None:
    weights = {each.name for each in graph.initializer}
    inputs = [each for each in graph.input if each.name not in weights]
    known = {dim.dim_param for each in inputs for dim in _dims(each) if dim.dim_param}
    for name, size in symbols.items():
        parse_positive(size, f"workload.symbols.{name}")
        if name not in known:
            legal = ", ".join(sorted(known)) or "none: every size is a number"
            raise WorkloadError(
                f"workload.symbols.{name}: {path} has no such symbol (legal: {legal})"
            )
    for each in inputs:
        if not each.type.tensor_type.HasField("shape"):
            raise WorkloadError(f"{path}: input {each.name} has no shape (legal: one with a shape)")
        for at, dim in enumerate(_dims(each)):
            place = f"{path}: dim {at} of input {each.name}"
            if dim.dim_param:
                if dim.dim_param not in symbols:
                    raise WorkloadError(
                        f"{place} is the symbol {dim.dim_param}; give "
                        f"workload.symbols.{dim.dim_param}=NUMBER"
                    )
                dim.dim_value = symbols[dim.dim_param]
            elif not dim.HasField("dim_value"):
                raise WorkloadError(f"{place} has no size (legal: a number, or a symbol)")
    for each in graph.output:
        # What the file says of results may be of symbols; it is inferred anew.
        each.type.tensor_type.ClearField("shape")


def _forget_unsized(graph: Any) -> None:
    """Drop what the file says of tensors by symbols: it is inferred anew."""
    sized = [
        each for each in graph.value_info if all(dim.HasField("dim_value") for dim in _dims(each))
    ]
    del graph.value_info[:]
    graph.value_info.extend(sized)


def _dims(value: Any) -> Iterator[Any]:
    yield from value.type.tensor_type.shape.dim


def _told(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines()]
    return f"{type(error).__name__}: {' '.join(line for line in lines if line)[:300]}"

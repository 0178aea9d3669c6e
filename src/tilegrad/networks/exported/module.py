"""A module by its import path, made without weights, and inputs by their shapes."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn

from tilegrad.errors import WorkloadError, unknown
from tilegrad.extras import hint
from tilegrad.workload.values import parse_positive

PACKAGES = ("diffusers", "timm", "torchvision", "transformers")
"""Packages of models that an extra brings."""

FLOAT, INPUT_FIELDS = "float32", ("shape", "type")

Inputs = tuple[tuple[Tensor, ...], dict[str, Tensor]]
"""Positional and named example inputs."""


def make_module(path: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Return the module that an import path names, or that what it names makes of ``arguments``.

    It is made on the meta device, where weights have shapes and no values; on the processor where
    its code needs values. Raises ``WorkloadError`` naming the field and what is wrong.
    """
    found = _imported(path)
    if isinstance(found, nn.Module):
        return found
    if not callable(found):
        raise WorkloadError(
            f"workload.model={path} is a {type(found).__name__}; legal: a torch.nn.Module, or a "
            "class or function that makes one"
        )
    _check_arguments(path, found, arguments)
    made = _made(path, found, arguments)
    if not isinstance(made, nn.Module):
        raise WorkloadError(
            f"workload.model={path} makes a {type(made).__name__}; legal: what makes a "
            "torch.nn.Module"
        )
    return made


def _made(path: str, found: Any, arguments: Mapping[str, Any]) -> object:
    try:
        with torch.device("meta"):
            return found(**arguments)
    except Exception:
        # Some models compute from the values of tensors while they are made.
        pass
    try:
        return found(**arguments)
    except Exception as error:
        raise WorkloadError(
            f"workload.model={path} cannot be made of workload.arguments={dict(arguments)}: "
            f"{type(error).__name__}: {first_line(error)}"
        ) from error


def _check_arguments(path: str, found: Any, arguments: Mapping[str, Any]) -> None:
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):
        return
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    for name in arguments:
        if name not in signature.parameters and inspect.Parameter.VAR_KEYWORD not in kinds:
            raise WorkloadError(
                unknown("argument", name, signature.parameters, f"workload.arguments of {path}")
            )


def _imported(path: str) -> Any:
    parts = path.split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise WorkloadError(
            f"workload.model is {path!r}; legal: an import path such as "
            "torchvision.models.resnet18, or a .pt2 file"
        )
    for length in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:length])
        try:
            found: Any = import_module(module)
        except ModuleNotFoundError as error:
            if error.name is not None and (
                module == error.name or module.startswith(f"{error.name}.")
            ):
                continue
            raise WorkloadError(
                f"workload.model={path}: {module} needs the package {error.name}, which is not "
                f"installed{_extra(str(error.name))}"
            ) from error
        except Exception as error:
            raise WorkloadError(
                f"workload.model={path}: {module} cannot be imported: {type(error).__name__}: "
                f"{first_line(error)}"
            ) from error
        return _attribute(found, parts[length:], path, module)
    raise WorkloadError(
        f"workload.model={path}: no module {parts[0]!r} is found{_extra(parts[0])} (a module of "
        "your own: put its folder on PYTHONPATH)"
    )


def _attribute(found: Any, names: Sequence[str], path: str, module: str) -> Any:
    for name in names:
        if not hasattr(found, name):
            # Packages of models hold too many names to list.
            close = difflib.get_close_matches(name, dir(found), n=3)
            legal = f"nearest: {', '.join(close)}" if close else "nothing there is called like it"
            raise WorkloadError(f"workload.model={path}: {module} holds no {name!r} ({legal})")
        found, module = getattr(found, name), f"{module}.{name}"
    return found


def _extra(module: str) -> str:
    return f": {hint('models')}" if module.partition(".")[0] in PACKAGES else ""


def make_inputs(stated: object, device: torch.device) -> Inputs:
    """Return inputs of stated shapes on a device.

    ``[1, 3, 224, 224]`` is one; a list of such several; a mapping gives them by name. Instead of a
    shape there may be ``{shape: [1, 128], type: int64}``. Raises ``WorkloadError``.
    """
    place = "workload.input"
    if isinstance(stated, Mapping) and not set(stated) <= set(INPUT_FIELDS):
        named = {str(n): _input(each, f"{place}.{n}", device) for n, each in stated.items()}
        return (), named
    if _is_list(stated) and any(isinstance(each, Mapping) or _is_list(each) for each in stated):
        several = (_input(each, f"{place}[{at}]", device) for at, each in enumerate(stated))
        return tuple(several), {}
    return (_input(stated, place, device),), {}


def _input(stated: object, place: str, device: torch.device) -> Tensor:
    kind: object = FLOAT
    if isinstance(stated, Mapping):
        for field in stated:
            if field not in INPUT_FIELDS:
                raise WorkloadError(unknown("field", str(field), INPUT_FIELDS, place))
        kind, stated = stated.get("type", FLOAT), stated.get("shape")
    if not _is_list(stated):
        raise WorkloadError(
            f"{place} is {stated!r}; legal: a shape such as [1,3,224,224], or "
            "{shape: [1,128], type: int64}"
        )
    shape = [parse_positive(size, f"{place}[{at}]") for at, size in enumerate(stated)]
    return torch.zeros(shape, dtype=_type(kind, place), device=device)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _type(kind: object, place: str) -> torch.dtype:
    known = {str(each).removeprefix("torch."): each for each in vars(torch).values()
             if isinstance(each, torch.dtype)}  # fmt: skip
    if kind not in known:
        raise WorkloadError(unknown("type", str(kind), known, place))
    return known[str(kind)]


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text that says something."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines if line), type(error).__name__)

"""``workload=torch``: a module by import path or a ``.pt2`` file; and modules in hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram

from tilegrad.checks import choice
from tilegrad.errors import WorkloadError
from tilegrad.networks.exported.graph import Walk
from tilegrad.networks.exported.module import make_inputs, make_module
from tilegrad.networks.exported.operators import Choices
from tilegrad.networks.exported.program import SUFFIX, export_program, load_program
from tilegrad.networks.operators.contraction import SECOND, STATIONARY
from tilegrad.workload import Workload
from tilegrad.workload.values import parse_positive


def load_exported(
    model: str,
    input: Any = None,
    arguments: Mapping[str, Any] | None = None,
    name: str | None = None,
    symbols: Mapping[str, int] | None = None,
    stationary: str = SECOND,
    skip: Sequence[str] = (),
) -> Workload:
    """Return the layers of a PyTorch model: what ``conf/workload/torch.yaml`` describes.

    Raises ``WorkloadError`` naming the field, or the operator and the module that calls it.
    """
    if model.lower().endswith(SUFFIX):
        if input is not None or arguments:
            raise WorkloadError(
                f"workload.model={model} has its shapes in it; legal: workload.input=null and "
                "no workload.arguments"
            )
        program = load_program(Path(model))
    else:
        if input is None:
            raise WorkloadError(
                f"workload.input is missing for workload.model={model}; give the shapes of its "
                "inputs, such as workload.input=[1,3,224,224]"
            )
        module = make_module(model, arguments or {})
        given, named = make_inputs(input, _device(module))
        program = export_program(module, given, named, f"workload.model={model}")
    label = name or (Path(model).stem if model.endswith(SUFFIX) else model.rpartition(".")[2])
    return lower(program, label, symbols, stationary, skip)


def from_module(module: nn.Module, inputs: object) -> Workload:
    """Return the layers of a module for example inputs: a tensor, a tuple, or a dict by name."""
    named = dict(inputs) if isinstance(inputs, Mapping) else {}
    given = () if named else tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    name = type(module).__name__
    return lower(export_program(module, given, named, name), name)


def lower(
    program: ExportedProgram,
    name: str,
    symbols: Mapping[str, int] | None = None,
    stationary: str = SECOND,
    skip: Sequence[str] = (),
) -> Workload:
    """Return the layers of an exported program, and what is left out of it."""
    place = "workload.symbols"
    sizes = {str(s): parse_positive(size, f"{place}.{s}") for s, size in (symbols or {}).items()}
    choices = Choices(choice("workload.stationary", stationary, STATIONARY))
    walk = Walk(name, choices, tuple(skip))
    graph = walk.program(program, sizes)
    return walk.tally.workload(name, graph=graph)


def _device(module: nn.Module) -> torch.device:
    """Return where a module's tensors are; without any, where they have no values."""
    tensors = (*module.parameters(), *module.buffers())
    return tensors[0].device if tensors else torch.device("meta")

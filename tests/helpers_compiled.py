"""Modules of machine code run as the Python that they are."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from tilegrad.nest import fused


def uncompiled(name: str) -> ModuleType:
    """Return a fresh copy of a module whose functions are not compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tilegrad.machine_code.compiled_in", _as_it_is)
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


def unused(name: str, kernel: ModuleType, monkeypatch: pytest.MonkeyPatch) -> fused._Use:
    """Give a run that uses no machine code yet, and ``kernel`` as the module of that name."""
    parent, _, own = name.rpartition(".")
    monkeypatch.setitem(sys.modules, name, kernel)
    monkeypatch.setattr(sys.modules[parent], own, kernel, raising=False)
    monkeypatch.setattr(fused, "_use", fused._Use())
    return fused._use


def _as_it_is(_: str, function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Stand for the compiler."""
    assert options == {"error_model": "numpy"}
    return function

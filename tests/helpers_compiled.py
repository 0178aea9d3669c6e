"""Modules of machine code run as the Python that they are."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest


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


def _as_it_is(_: str, function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Stand for the compiler."""
    assert options == {"error_model": "numpy"}
    return function

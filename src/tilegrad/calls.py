"""Packages that can be called: ``tilegrad.search`` holds the search and runs one."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class CallablePackage(ModuleType):
    """A package that passes calls on to the function of its name in ``tilegrad.api``."""

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        """Return what the function of the package's name returns."""
        function = getattr(import_module("tilegrad.api"), self.__name__.rpartition(".")[-1])
        return function(*arguments, **settings)


def callable_package(name: str) -> None:
    """Let a package be called, as Python's data model provides (a module's ``__class__``)."""
    sys.modules[name].__class__ = CallablePackage

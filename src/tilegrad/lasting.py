"""Imports of commands' code, which lasts as long as the process."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import Any


def import_lasting(name: str) -> Any:
    """Import a module and all that it needs, and spare the collector of cycles the search in it.

    Of a command's imports it took a tenth, and then some of every later collection.
    """
    if name in sys.modules or not gc.isenabled():
        return import_module(name)
    gc.disable()
    try:
        module = import_module(name)
        gc.freeze()
    finally:
        gc.enable()
    return module

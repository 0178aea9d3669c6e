"""tilegrad: co-design of DNN accelerators and mappings by gradient.

``tilegrad.search("resnet50", caps={"pe_dim": 16})``, ``tilegrad.train(model="forest")``,
``tilegrad.evaluate("rows.csv")`` and ``tilegrad.load("outputs/search/RUN")`` are what the commands
of those names are (``tilegrad.api``); each is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from tilegrad.api import evaluate, load, search, train

__version__ = "0.1.0"

# The packages search and evaluate can be called: see calls.py.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__, submodules={"evaluate", "search"}, submod_attrs={"api": ["load", "train"]}
)

__all__ = ["__version__", "evaluate", "load", "search", "train"]

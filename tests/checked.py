"""Signatures are checked while testing: shapes and dtypes of tensors, and all other types.

``conftest.py`` imports this before anything of tilegrad. Only the modules whose signatures say
shapes are checked, and not those with the analysis' innermost pieces: that would double its time.
"""

from __future__ import annotations

from beartype import BeartypeConf, beartype
from jaxtyping import install_import_hook

MODULES = (
    "tilegrad.mapping.loopnest",
    "tilegrad.mapping.space",
    "tilegrad.mapping.validity",
    "tilegrad.nest.analysis",
    "tilegrad.cost.footprint",
    "tilegrad.cost.hardware",
    "tilegrad.cost.network",
    "tilegrad.search.gradient.relaxed",
    "tilegrad.search.gradient.relaxed_stack",
)

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
"""Beartype's decorator, for which an int is a float too, as it is for mypy."""

install_import_hook(MODULES, f"{__name__}.checked")

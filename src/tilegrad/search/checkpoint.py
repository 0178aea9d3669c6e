"""Saving and loading a search in progress, so that a killed run goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from tilegrad.errors import ConfigError
from tilegrad.files import replacing
from tilegrad.mapping import Mapping as LoopNest
from tilegrad.search.state import SearchState

FILE = "checkpoint.pt"


def save_checkpoint(directory: Path, state: SearchState, identity: Mapping[str, str]) -> None:
    """Write the state atomically; ``identity`` says which search it belongs to, part by part."""
    fields = {name: value for name, value in vars(state).items() if name != "best"}
    best = None if state.best is None else asdict(state.best)
    with replacing(directory / FILE) as temporary:
        torch.save({"identity": dict(identity), "state": fields, "best": best}, temporary)


def load_checkpoint(directory: Path, identity: Mapping[str, str]) -> SearchState | None:
    """Return the saved state, or None where there is none.

    Raises ``ConfigError`` where the directory holds another search, naming the part that differs,
    or where the file cannot be read.
    """
    path = directory / FILE
    if not path.exists():
        return None
    saved = _read(path)
    for part, value in identity.items():
        if saved["identity"].get(part) != value:
            raise ConfigError(
                f"{directory} holds a search with another {part} "
                f"({saved['identity'].get(part)} there, {value} here); "
                "give another dir=, or the settings of that search to go on with it"
            )
    best = saved["best"]
    try:
        return SearchState(**saved["state"], best=None if best is None else LoopNest(**best))
    except TypeError:
        raise ConfigError(
            f"{path} is of another version; delete it, or give another dir="
        ) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        saved = torch.load(path, weights_only=True)
    except Exception as error:
        raise ConfigError(
            f"{path} is not a readable checkpoint ({type(error).__name__}); "
            "delete it to search afresh, or give another dir="
        ) from None
    if not isinstance(saved, dict) or not {"identity", "state", "best"} <= saved.keys():
        raise ConfigError(f"{path} is not a checkpoint of a search; give another dir=")
    return saved

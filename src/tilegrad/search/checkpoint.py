"""Saving and loading a search in progress, so that a killed run goes on where it was."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from tilegrad.errors import ConfigError
from tilegrad.files import write_torch
from tilegrad.mapping import LoopNest
from tilegrad.search.state import SearchState

FILE = "checkpoint.pt"


def save_checkpoint(directory: Path, state: SearchState, fingerprint: str) -> None:
    """Write the state atomically; ``fingerprint`` says which search it belongs to."""
    fields = {name: value for name, value in vars(state).items() if name != "best"}
    best = None if state.best is None else asdict(state.best)
    content = {"fingerprint": fingerprint, "state": fields, "best": best}
    write_torch(directory / FILE, content)


def load_checkpoint(directory: Path, fingerprint: str) -> SearchState | None:
    """Return the saved state, or None where there is none.

    Raises ``ConfigError`` where the file cannot be read or belongs to another search.
    """
    path = directory / FILE
    if not path.exists():
        return None
    saved = _read(path)
    if saved["fingerprint"] != fingerprint:
        raise ConfigError(
            f"{path} is of another search (fingerprint {saved['fingerprint']} there, {fingerprint} "
            "here); delete it to search afresh, or give another dir="
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
    if not isinstance(saved, dict) or not {"fingerprint", "state", "best"} <= saved.keys():
        raise ConfigError(f"{path} is not a checkpoint of a search; give another dir=")
    return saved

"""Saving and loading a search in progress, so that a killed run goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tilegrad.errors import ConfigError
from tilegrad.files import write_torch
from tilegrad.search.state import SearchState

FILE = "checkpoint.pt"


def save_checkpoint(directory: Path, state: SearchState, fingerprint: str) -> None:
    """Write the state atomically; ``fingerprint`` says which search it belongs to."""
    fields = state.pack()
    best = fields.pop("best")
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
    try:
        return SearchState.unpack({**saved["state"], "best": saved["best"]})
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

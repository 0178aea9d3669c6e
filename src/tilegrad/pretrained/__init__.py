"""Predictors that come with the package: a checkpoint each, and a card that says what it is."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent


def pretrained_names() -> list[str]:
    """Return the names that ``ckpt=`` takes beside paths."""
    return sorted(path.stem for path in _HERE.glob("*.ckpt"))


def checkpoint_path(ckpt: object) -> Path:
    """Return the place of ``ckpt``: a path, or the name of a packaged predictor."""
    if str(ckpt) in pretrained_names():
        return _HERE / f"{ckpt}.ckpt"
    return Path(str(ckpt))

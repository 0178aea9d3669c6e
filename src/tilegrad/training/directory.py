"""The files of a training run: where they lie, which folds are done."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tilegrad.files import read_json, write_bytes, write_json

RESULT = "result.json"
MODEL = "model.ckpt"
BEST = "best.ckpt"
LAST = "last.ckpt"


@dataclass(frozen=True)
class FoldPlace:
    """Where one fold's files lie."""

    path: Path

    @property
    def done(self) -> Path:
        """The fold's metrics, written last."""
        return self.path / "fold.json"

    @property
    def predictions(self) -> Path:
        """Predicted and measured values of its test rows."""
        return self.path / "predictions.parquet"

    @property
    def last(self) -> Path:
        """The state after the last whole epoch."""
        return self.path / LAST

    @property
    def best(self) -> Path:
        """The state after the best epoch by what is watched."""
        return self.path / BEST


def fold_place(directory: Path, number: int | None) -> FoldPlace:
    """Return where a fold's files lie; None is the refit, which tests no rows."""
    return FoldPlace(directory / ("refit" if number is None else f"fold-{number}"))


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet."""
    content = io.BytesIO()
    table.to_parquet(content, index=False)
    write_bytes(path, content.getbuffer())


def finished(place: FoldPlace) -> dict[str, Any] | None:
    """Return a fold's result where it was finished."""
    return read_json(place.done) if place.done.exists() else None


def finish(place: FoldPlace, result: dict[str, Any], keep: bool) -> None:
    """Write a fold's result; drop its checkpoints unless they are to be kept."""
    write_json(place.done, result)
    if not keep:
        for path in (place.last, place.best):
            path.unlink(missing_ok=True)

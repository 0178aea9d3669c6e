"""The settings of a run that its result depends on, with the content of the files they name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from math import isfinite
from pathlib import Path
from typing import Any

from tilegrad.errors import ConfigError
from tilegrad.fingerprint.code import own_code
from tilegrad.fingerprint.digests import file_digest
from tilegrad.pretrained import checkpoint_path

INDIFFERENT = (
    # Where a run writes, what it is called, what it shows and whom it tells.
    "dir", "name", "fold", "progress", "callbacks.progress", "plots", "report", "logger",
    "log", "optimized_metric", "keep_folds", "hydra",
    # What is worked out from a finished result, and anew each time.
    "importances", "target",
    # What goes on between searches.
    "measure",
    # How far a search goes: a longer one goes on with a shorter one.
    "budget", "bound",
    # How it runs, and how often it saves what it goes on from.
    "callbacks.state", "threads", "spread", "*.workers", "*.cache", "trainer.enable_*",
    # Prose.
    "*.parameters.*.about",
)  # fmt: skip
"""Settings that cannot change a result, as patterns of dotted names; what is below goes along."""

PATHS = ("path", "ert", "art")
"""Fields that may name a directory, or a file without a suffix."""

WORKLOAD = ".workload.path"
"""A field that may name a layer table, whose rows may name files of shapes."""

_YAML_NAME = re.compile(r"[^,:'\"\[\]{}\r\n]+\.ya?ml", re.IGNORECASE)

TARGET, MODEL = "_target_", ".workload.model"
"""Fields that name code, whose content counts where it is the user's own; the latter, or a file."""

CHECKPOINT = "ckpt"
"""A field that may name a packaged checkpoint."""


def config_parts(plain: Mapping[str, Any], ignored: Sequence[str] = ()) -> dict[str, Any]:
    """Return the settings of a resolved config by dotted name, without those that do not matter.

    A text that names a file stands for the file's content, one that names code of the user's own
    for that and its content. ``ignored``: further settings that
    this kind of run does not read. Raises ``ConfigError`` naming a file that cannot be read.
    """
    patterns = (*INDIFFERENT, *ignored)
    return {
        name: _meant(name, value)
        for name, value in _leaves(plain, "")
        if not _matches(name, patterns)
    }


def _meant(name: str, value: Any) -> Any:
    """Return what a setting says, as JSON holds it: of a file, its content, of code with it."""
    try:
        file = _file(name, value)
        named = file is None and f".{name}".endswith((f".{TARGET}", MODEL))
        if named and (code := own_code(str(value))) is not None:
            return f"{value}, content {code}"
        if file is not None:
            digests = [file_digest(each) for each in (file, *_shape_files(name, file))]
            return f"content {' '.join(digests)}"
    except OSError as error:
        raise ConfigError(f"{name}={value} cannot be read ({error.strerror})") from error
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield every setting below a node with its dotted name; lists of plain values stay whole."""
    below = f"{name}." if name else ""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{below}{key}")
    elif isinstance(value, list) and any(isinstance(item, (Mapping, list)) for item in value):
        for place, item in enumerate(value):
            yield from _leaves(item, f"{below}{place}")
    else:
        yield name, value


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, p) or fnmatchcase(name, f"{p}.*") for p in patterns)


def _shape_files(name: str, table: Path) -> list[Path]:
    """Return the YAML files beside a layer table that are named in it: shapes of its rows."""
    if not f".{name}".endswith(WORKLOAD) or not table.is_file():
        return []
    words = _YAML_NAME.findall(table.read_text(encoding="utf-8", errors="replace"))
    named = (table.parent / word.strip() for word in dict.fromkeys(words))
    return [file for file in named if file.is_file()]


def _file(name: str, value: Any) -> Path | None:
    """Return the file or directory that a setting names, if it does."""
    if not isinstance(value, str) or not value:
        return None
    field = name.rpartition(".")[2]
    path = checkpoint_path(value) if field == CHECKPOINT else Path(value)
    try:
        if field in PATHS and path.exists():
            return path
        # A word may be anything's name, and there may be a file called like it.
        named = field == CHECKPOINT or "." in value or "/" in value
        return path if named and path.is_file() else None
    except (OSError, ValueError):
        # No name that a file can have.
        return None

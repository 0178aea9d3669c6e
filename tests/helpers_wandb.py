"""What runs of trackers hold, read from their files: Weights & Biases, without its service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

BLOCK = 32768
"""Bytes of a block of LevelDB's log format, whose records never end across without parts."""

FULL, LAST = 1, 4


@dataclass
class Held:
    """Config, logged steps, summary by slash-joined keys, and files of every artifact."""

    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    artifacts: dict[str, dict[str, str]] = field(default_factory=dict)
    finished: bool = False


def left_in(directory: Path) -> Held:
    """Return what a run left, when the service, which writes it, has ended as after a process."""
    import wandb

    wandb.teardown()
    return held(directory)


def events(directory: Path) -> EventAccumulator:
    """Return what TensorBoard reads in a directory."""
    found = EventAccumulator(str(directory))
    found.Reload()
    return found


def held(directory: Path) -> Held:
    """Return what the one offline run below a directory holds."""
    from wandb.proto.wandb_internal_pb2 import Record

    (path,) = directory.glob("wandb/offline-run-*/run-*.wandb")
    found = Held()
    for text in _records(path.read_bytes()):
        record = Record()
        record.ParseFromString(text)
        _take(record, found)
    return found


def _take(record: Any, found: Held) -> None:
    for change in (record.run.config, record.config):
        found.config.update(_items(change.update))
    if record.HasField("history"):
        found.history.append(_items(record.history.item))
    found.summary.update(_items(record.summary.update))
    if record.HasField("artifact"):
        entries = record.artifact.manifest.contents
        found.artifacts[record.artifact.name] = {e.path: e.local_path for e in entries}
    found.finished |= record.HasField("exit") and record.exit.exit_code == 0


def _items(items: Any) -> dict[str, Any]:
    keys = ("/".join(item.nested_key) or item.key for item in items)
    return {key: json.loads(item.value_json) for key, item in zip(keys, items, strict=True)}


def _records(text: bytes) -> Iterator[bytes]:
    """Yield the records of a log: 7 bytes of its own, then blocks of checksum, length, kind."""
    place, parts = 7, b""
    while place + 7 <= len(text):
        if BLOCK - place % BLOCK < 7:
            place += BLOCK - place % BLOCK
            continue
        size, kind = int.from_bytes(text[place + 4 : place + 6], "little"), text[place + 6]
        parts += text[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (FULL, LAST):
            yield parts
            parts = b""

"""What a job of a sweep leaves about itself: ``job.json`` in its directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from tilegrad.errors import ConfigError
from tilegrad.files import make_directory, read_json, write_json

FILE = "job.json"
RUNNING, COMPLETE, FAILED = "running", "complete", "failed"


@dataclass(frozen=True)
class JobRecord:
    """One job: its number and overrides, how it ended, and what it returned.

    ``results`` is the directory of its result.json. ``attempts`` counts how often it was begun;
    a job that is ``running`` although no process is at work was killed. ``fingerprint``: the parts
    of what it reads.
    """

    number: int
    overrides: tuple[str, ...]
    results: str
    status: str = RUNNING
    value: float | None = None
    error: str | None = None
    attempts: int = 1
    fingerprint: Mapping[str, Any] | None = None

    def write(self, directory: Path) -> None:
        """Write the record into the job's directory."""
        make_directory("hydra.sweep.dir", directory)
        write_json(directory / FILE, asdict(self))

    def failed(self, error: str) -> JobRecord:
        """Return the record of the job having failed."""
        return replace(self, status=FAILED, value=None, error=error)

    def completed(self, value: object) -> JobRecord:
        """Return the record of the job having returned ``value``; only numbers are kept."""
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        kept = float(value) if number and isfinite(value) else None  # type: ignore[arg-type]
        return replace(self, status=COMPLETE, value=kept, error=None)


def read_record(directory: Path) -> JobRecord | None:
    """Return a job's record; None where it was never begun or the file is no record."""
    try:
        found = read_json(directory / FILE)
        return JobRecord(**{**found, "overrides": tuple(found["overrides"])})
    except (ConfigError, KeyError, TypeError):
        return None


def job_directory(config: DictConfig) -> Path:
    """Return the directory of the job that a composed config (with ``hydra``) is of."""
    return Path(str(config.hydra.sweep.dir)) / str(config.hydra.sweep.subdir)


def new_record(config: DictConfig) -> JobRecord:
    """Return the record of a job that is not begun yet."""
    directory = config.get("dir") or job_directory(config)
    overrides = tuple(str(override) for override in config.hydra.overrides.task)
    return JobRecord(int(config.hydra.job.num), overrides, str(directory), attempts=0)


def sweep_records(directory: Path) -> list[JobRecord]:
    """Return the records of all jobs of a sweep, by number."""
    found = [read_record(path.parent) for path in directory.rglob(FILE)]
    return sorted((record for record in found if record), key=lambda record: record.number)

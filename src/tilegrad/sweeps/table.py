"""The jobs of a sweep as a table: what was varied, every figure of its results, seeds pooled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tilegrad.errors import ConfigError
from tilegrad.files import read_json
from tilegrad.record import RESULT, parse_result
from tilegrad.sweeps.record import COMPLETE, JobRecord

SEED = "seed"
SHARED = ("format", "seed", "folds", "rows", "samples")
"""Numbers of a result that say what was asked for, not what was found."""


def jobs_table(records: Sequence[JobRecord]) -> pd.DataFrame:
    """Return a row per job: ``job``, ``status``, the varied fields, then every figure found."""
    varied = varied_fields(records)
    rows = []
    for record in records:
        given = _fields(record)
        row: dict[str, Any] = {"job": record.number, "status": record.status}
        row.update({name: given.get(name, "") for name in varied})
        if record.status == COMPLETE:
            row.update(figures(Path(record.results)) or returned(record))
        rows.append(row)
    return pd.DataFrame(rows)


def varied_fields(records: Sequence[JobRecord]) -> list[str]:
    """Return the fields whose overrides differ between jobs."""
    given = [_fields(record) for record in records]
    names = dict.fromkeys(name for fields in given for name in fields)
    return [name for name in names if len({fields.get(name) for fields in given}) > 1]


def settings_of(record: JobRecord, records: Sequence[JobRecord]) -> dict[str, str]:
    """Return what a job's overrides say of the fields that differ between jobs."""
    given = _fields(record)
    return {name: given[name] for name in varied_fields(records) if name in given}


def common_fields(records: Sequence[JobRecord]) -> dict[str, str]:
    """Return the overrides that all jobs share."""
    varied = varied_fields(records)
    first = _fields(records[0]) if records else {}
    return {name: value for name, value in first.items() if name not in varied}


def _fields(record: JobRecord) -> dict[str, str]:
    parts = (override.partition("=") for override in record.overrides)
    return {name: value for name, _, value in parts}


def returned(record: JobRecord) -> dict[str, float]:
    """Return what a job without a result.json returned as ``value``: a front its hypervolume."""
    return {} if record.value is None else {"value": record.value}


def figures(directory: Path) -> dict[str, float]:
    """Return the numbers of a job's result.json: metrics as ``target.metric``, the rest by name.

    Raises ``DataError`` where a search's is malformed.
    """
    try:
        result = read_json(directory / RESULT)
    except ConfigError:
        return {}
    if "layers" in result:
        result = parse_result(result, str(directory / RESULT)).as_json()
    found = _numbers(result.get("metrics") or {})
    plain = {name: value for name, value in result.items() if name not in SHARED}
    found.update({name: value for name, value in _numbers(plain).items() if "." not in name})
    found.update(_numbers({"hardware": result.get("hardware") or {}}))
    return found


def _numbers(record: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            found.update(_numbers(value, f"{prefix}{name}."))
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found[f"{prefix}{name}"] = float(value)
    return found


def figure_columns(jobs: pd.DataFrame, varied: Sequence[str]) -> list[str]:
    """Return the columns of a table of jobs that are figures."""
    return [name for name in jobs.columns if name not in ("job", "status", *varied)]


def over_seeds(jobs: pd.DataFrame, varied: Sequence[str]) -> pd.DataFrame | None:
    """Return a row per setting, with the median, the least and the most over its seeds.

    None where no seed is swept. Columns: the varied fields but the seed, ``seeds`` (how many
    jobs ended well), then ``FIGURE.median``, ``FIGURE.min`` and ``FIGURE.max``.
    """
    if SEED not in varied:
        return None
    settings = [name for name in varied if name != SEED]
    done = jobs[jobs.status == COMPLETE]
    rows = []
    for setting, part in grouped(done, settings):
        row: dict[str, Any] = {**setting, "seeds": len(part)}
        for name in figure_columns(jobs, varied):
            found = part[name]
            row[f"{name}.median"] = found.median()
            row[f"{name}.min"] = found.min()
            row[f"{name}.max"] = found.max()
        rows.append(row)
    return pd.DataFrame(rows)


def grouped(
    jobs: pd.DataFrame, settings: Sequence[str]
) -> list[tuple[dict[str, Any], pd.DataFrame]]:
    """Return the jobs of every setting, in the order of their first job."""
    if not settings:
        return [({}, jobs)]
    return [
        (dict(zip(settings, key, strict=True)), part)
        for key, part in jobs.groupby(list(settings), sort=False)
    ]

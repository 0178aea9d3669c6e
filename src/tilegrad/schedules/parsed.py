"""Tables that were parsed before: kept in the cache under a digest of file and settings."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from tilegrad import __version__
from tilegrad.accelerator import Accelerator, accelerator_digest
from tilegrad.errors import DataError, OutputError
from tilegrad.fingerprint.digests import digest, file_digest
from tilegrad.schedules.catalogue import Catalogue
from tilegrad.schedules.columns import decode, encode
from tilegrad.schedules.download import cache_directory
from tilegrad.schedules.reading import Progress, Reading, read_schedules
from tilegrad.schedules.schedule_rows import ScheduleRows
from tilegrad.schedules.schedules import Finding, Schedules
from tilegrad.tables.files import explained
from tilegrad.tables.output import ParquetOutput

FORMAT = 2
"""Changes whenever the same table would be parsed into something else."""

_KEY, _SUM = b"tilegrad.catalogue", b"tilegrad.checksum"


def load_parsed(path: Path, reading: Reading, progress: Progress | None = None) -> Schedules:
    """Return the schedules of a table, out of the cache where it was parsed before.

    Raises what ``read_schedules`` raises; a cache that cannot be written to is done without.
    """
    name = f"{path.name.split('.')[0]}-{_digest(path, reading)}.parquet"
    kept = cache_directory() / "tables" / name
    found = _read(kept, reading.accelerator)
    if found is None:
        found = read_schedules(path, reading, progress)
        _write(kept, found)
    return found


def _digest(path: Path, reading: Reading) -> str:
    """Return a digest of the file's content and of all that its parsing depends on."""
    with explained(path):
        content = file_digest(path)
    settings = {
        "content": content,
        "format": FORMAT,
        "version": __version__,
        "accelerator": accelerator_digest(reading.accelerator),
        "machine": dict(reading.accelerator.machine),
        "quantities": [asdict(quantity) for quantity in reading.quantities],
        "hardware": dict(reading.fixed),
        "networks": list(reading.networks),
        "duplicates": reading.duplicates,
        "skip_invalid": reading.skip_invalid,
    }
    return digest(settings)


def _write(path: Path, found: Schedules) -> None:
    rows = ScheduleRows(found.nests, found.layer, found.machine, found.targets, found.calls)
    table = encode(rows, found.accelerator)
    catalogue = json.dumps(_describe(found)).encode()
    table = table.replace_schema_metadata({_KEY: catalogue, _SUM: _checksum(catalogue)})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ParquetOutput(path) as output:
            for batch in table.to_batches():
                output.write(batch)
    except (OSError, DataError, OutputError):
        return


def _checksum(catalogue: bytes) -> bytes:
    """Return what shows that a catalogue was damaged: Parquet checks its pages alone."""
    return digest(catalogue.decode()).encode()


def _read(path: Path, accelerator: Accelerator) -> Schedules | None:
    """Return what ``_write`` kept; None where it is absent or damaged."""
    try:
        table = pq.read_table(path, page_checksum_verification=True)
        metadata = table.schema.metadata
        if metadata[_SUM] != _checksum(metadata[_KEY]):
            return None
        described = json.loads(metadata[_KEY])
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        return None
    catalogue = _catalogue(described, accelerator)
    findings = [Finding(**finding) for finding in described["findings"]]
    return catalogue.schedules(decode(table, catalogue)).noting(*findings)


def _describe(found: Schedules) -> dict[str, Any]:
    """Return the catalogue and the findings as JSON has them; ``_catalogue`` is the inverse."""
    layer, machine = _first(found.layer), _first(found.machine)
    return {
        "bounds": found.bounds[layer].tolist(),
        "strides": found.strides[layer].tolist(),
        "hardware": {name: values[machine].tolist() for name, values in found.hardware.items()},
        "network": None if found.network is None else found.network[layer].tolist(),
        "layer_names": found.layer_names,
        "machine_names": found.machine_names,
        "network_names": found.network_names,
        "findings": [asdict(finding) for finding in found.findings],
    }


def _catalogue(described: dict[str, Any], accelerator: Accelerator) -> Catalogue:
    network = described["network"]
    return Catalogue(
        accelerator,
        torch.tensor(described["bounds"], dtype=torch.float64),
        torch.tensor(described["strides"], dtype=torch.float64),
        {n: torch.tensor(v, dtype=torch.float64) for n, v in described["hardware"].items()},
        None if network is None else torch.tensor(network),
        tuple(described["layer_names"]),
        tuple(described["machine_names"]),
        tuple(described["network_names"]),
    )


def _first(ids: Tensor) -> Tensor:
    """Return the first row of each id; ids count from 0."""
    first = torch.full((int(ids.max()) + 1,), len(ids), dtype=torch.int64)
    return first.scatter_reduce(0, ids, torch.arange(len(ids)), "amin")

"""Published files: in the user's directory, in the cache, or fetched from their source."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests

from tilegrad.errors import DataError
from tilegrad.tables.files import explained

VARIABLE = "TILEGRAD_DATA"
RETRIES = 2
# A machine without network should hear of it soon; a slow source may take its time.
SECONDS_TO_CONNECT = 5
SECONDS_TO_ANSWER = 30


@dataclass(frozen=True)
class PublishedFile:
    """A file of a public source: the name it has here, its address there and its SHA-256."""

    name: str
    url: str
    sha256: str


def cache_directory() -> Path:
    """Return the user's cache directory of this package."""
    return Path(pooch.os_cache("tilegrad"))


def locate(file: PublishedFile) -> Path:
    """Return where a published file lies, after its checksum was found right.

    Looked for in ``$TILEGRAD_DATA``, then in the cache, which is filled from the source; a cached
    file that is truncated or altered is fetched again. Raises ``DataError`` naming the file, the
    address and the variable.
    """
    given = _given(file)
    if given is not None:
        _check(given, file)
        return given
    folder = cache_directory()
    pooch.get_logger().setLevel(logging.WARNING)
    with explained(folder / file.name, "fetched"):
        return _fetch(file, folder)


def _given(file: PublishedFile) -> Path | None:
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    if not Path(named).is_dir():
        raise DataError(f"{VARIABLE}={named} is not a directory (legal: one, or unset)")
    places = [Path(named) / file.name, Path(named) / Path(file.name).name]
    return next((place for place in places if place.is_file()), None)


def _check(path: Path, file: PublishedFile) -> None:
    with explained(path):
        found = pooch.file_hash(str(path))
    if found != file.sha256:
        raise DataError(
            f"{path}: is truncated or altered: its SHA-256 is {found} (legal: {file.sha256}); "
            f"fetch it again from {file.url}, or unset {VARIABLE} to have it fetched"
        )


def _fetch(file: PublishedFile, folder: Path) -> Path:
    store = pooch.create(
        path=folder,
        base_url="",
        registry={file.name: f"sha256:{file.sha256}"},
        urls={file.name: file.url},
        retry_if_failed=RETRIES,
    )
    download = pooch.HTTPDownloader(timeout=(SECONDS_TO_CONNECT, SECONDS_TO_ANSWER))
    try:
        return Path(store.fetch(file.name, downloader=download))
    except ValueError as error:
        reason = "what came does not have the SHA-256 of the published file"
        raise _unavailable(file, folder, reason) from error
    except requests.RequestException as error:
        raise _unavailable(file, folder, type(error).__name__) from error


def _unavailable(file: PublishedFile, folder: Path, reason: str) -> DataError:
    return DataError(
        f"{file.name} is neither in ${VARIABLE} ({os.environ.get(VARIABLE) or 'unset'}) nor in "
        f"{folder}, and cannot be fetched from {file.url} ({reason}); on a machine without "
        f"network, put the file in a directory and name that in {VARIABLE}"
    )

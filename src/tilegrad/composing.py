"""Configs composed from Python's keyword arguments; nothing of Hydra's is left changed."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike, fspath
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from tilegrad.complaints import describe
from tilegrad.entry import BAD_INPUT_ERRORS, plain_overrides, quoted
from tilegrad.errors import ConfigError
from tilegrad.once import parsed_once
from tilegrad.paths import config_directory


def composed(name: str, settings: Mapping[str, Any], overrides: Sequence[str]) -> DictConfig:
    """Return the config ``name`` with settings: texts choose options, mappings set fields.

    ``overrides`` are texts as on the command line and come last. Raises ``ConfigError``.
    """
    given = [text for field, value in settings.items() for text in _overrides(field, value)]
    try:
        with (
            _within_hydra(),
            initialize_config_dir(str(config_directory()), version_base="1.3"),
            _own_options_forgotten(),
            parsed_once(),
        ):
            return compose(name, plain_overrides([*given, *overrides]))
    except BAD_INPUT_ERRORS as error:
        raise ConfigError(describe(error)) from error


@contextmanager
def _within_hydra() -> Iterator[None]:
    """Lay a Hydra that is initialised aside, as in a notebook or a job that calls us."""
    outer = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = outer


@contextmanager
def _own_options_forgotten() -> Iterator[None]:
    store = ConfigStore.instance()
    before = copy.deepcopy(store.repo)
    try:
        yield
    finally:
        store.repo = before


def _overrides(field: str, value: Any) -> Iterator[str]:
    """Yield the overrides that a keyword argument stands for, chosen options before fields."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _overrides(f"{field}.{name}", item)
    elif isinstance(value, (str, PathLike)):
        text = fspath(value)
        # plain_overrides quotes what it takes for a file; a field's text is quoted here.
        yield f"{field}={quoted(text) if '.' in field else text}"
    else:
        yield f"{field}={_written(value)}"


def _written(value: Any) -> str:
    """Return a value in Hydra's grammar."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, PathLike)):
        return quoted(fspath(value))
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ",".join(map(_written, value)) + "]"
    return str(value)

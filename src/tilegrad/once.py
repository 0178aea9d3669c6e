"""What Hydra does twice or a hundred times to run one command, done once."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.hydra import Hydra
from hydra.core.config_store import ConfigStore
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

MULTIRUN = ("-m", "--multirun")
SWEPT = frozenset(",(")
"""What a sweep's values are written with."""

PLAIN = "hydra.mode=RUN"
"""What Hydra adds to the overrides of a run whose config names no mode."""


@contextmanager
def composed_once(arguments: Sequence[str]) -> Iterator[None]:
    """Have Hydra run a plain command with the config in which it looked for ``hydra.mode``.

    It would compose the same once more, which is most of what a command does before its imports.
    What may be a sweep is left to Hydra.
    """
    if any(argument in MULTIRUN or SWEPT & set(argument) for argument in arguments):
        yield
        return
    compose, read_mode = ConfigLoaderImpl.load_configuration, Hydra.get_mode
    kept: dict[tuple[str, ...], DictConfig | Exception] = {}

    def get_mode(hydra: Any, config_name: str | None, overrides: list[str]) -> Any:
        try:
            config = compose(hydra.config_loader, config_name, overrides, RunMode.RUN)
        except Exception as error:
            # Hydra asks no further, and comes upon the same when it runs the command.
            kept[tuple([*overrides, PLAIN])] = error
            return None
        if config.hydra.mode is not None:
            return read_mode(hydra, config_name, overrides)
        config.hydra.mode = RunMode.RUN
        config.hydra.overrides.hydra.append(PLAIN)
        kept[tuple([*overrides, PLAIN])] = config
        return None

    def load(loader: Any, config_name: Any, overrides: Any, *further: Any, **options: Any) -> Any:
        config = kept.pop(tuple(overrides), None)
        if isinstance(config, Exception):
            raise config
        if config is not None:
            return config
        return compose(loader, config_name, overrides, *further, **options)

    with (
        _replaced(Hydra, "get_mode", get_mode),
        _replaced(ConfigLoaderImpl, "load_configuration", load),
    ):
        yield


@contextmanager
def one_store() -> Iterator[None]:
    """Have Hydra share its store of configs, which it copies for each group that it lists.

    The hundred copies are more than half of what ``--help`` takes; Hydra changes none of them.
    """
    with _replaced(ConfigStore, "__deepcopy__", lambda store, _: store):
        yield


_PARSED: dict[str, bytes] = {}
"""Texts of config files, and what they were parsed to."""


@contextmanager
def parsed_once() -> Iterator[None]:
    """Have Hydra parse the text of a config file once in this process.

    The jobs of a sweep read the same files, and so do the commands of one process; each gets a
    copy of its own, in a tenth of the time.
    """
    parse = OmegaConf.load

    def load(file: Any) -> Any:
        if isinstance(file, (str, Path)):
            return parse(file)
        text = file.read()
        if text not in _PARSED:
            # Errors name the file.
            file.seek(0)
            _PARSED[text] = pickle.dumps(parse(file))
        return pickle.loads(_PARSED[text])

    with _replaced(OmegaConf, "load", staticmethod(load)):
        yield


@contextmanager
def _replaced(owner: type, name: str, value: Any) -> Iterator[None]:
    """Give a class another attribute for a while."""
    before = vars(owner).get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if before is None:
            delattr(owner, name)
        else:
            setattr(owner, name, before)

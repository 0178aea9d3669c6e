"""Whose directory it is: that of the settings that the run's result depends on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from tilegrad.errors import ConfigError
from tilegrad.files import check_writable

CONFIG = "config.yaml"

INDIFFERENT = {"model": ("workers",), "callbacks": ("progress",)}
"""Settings that change nothing about a result, by section."""


@dataclass(frozen=True)
class Claim:
    """A kind of run: what it is called, its room under outputs/, the fields that must agree."""

    what: str
    room: str
    identity: tuple[str, ...]

    def directory(self, config: DictConfig) -> Path:
        """Return the run's directory: the one given, the sweep's, or one after its settings.

        Raises ``ConfigError`` where it holds another run or cannot be written to.
        """
        directory = Path(str(config.dir)) if config.dir else self._default(config)
        check_writable("dir", directory)
        saved = directory / CONFIG
        if saved.exists():
            self._check_same(directory, _load(saved), config)
        return directory

    def _default(self, config: DictConfig) -> Path:
        hydra_config = HydraConfig.get() if HydraConfig.initialized() else None
        if hydra_config is not None and hydra_config.mode == RunMode.MULTIRUN:
            return Path(hydra_config.sweep.dir) / str(hydra_config.sweep.subdir)
        identity = self._identity(OmegaConf.to_container(config, resolve=True))
        digest = hashlib.sha256(repr(identity).encode()).hexdigest()[:8]
        return Path("outputs") / self.room / f"{config.name}-{digest}"

    def _identity(self, plain: Any) -> dict[str, Any]:
        found = {name: plain.get(name) for name in self.identity}
        for section, names in INDIFFERENT.items():
            if isinstance(found.get(section), dict):
                found[section] = {k: v for k, v in found[section].items() if k not in names}
        return found

    def _check_same(self, directory: Path, saved: Any, config: DictConfig) -> None:
        if not isinstance(saved, dict) or not set(self.identity) <= set(saved):
            raise ConfigError(f"dir={directory} holds another kind of run; give another dir=")
        plain = OmegaConf.to_container(config, resolve=True)
        different = _difference(self._identity(saved), self._identity(plain))
        if different:
            where, there, here = different
            raise ConfigError(
                f"dir={directory} holds {self.what} with another {where} ({there} there, {here} "
                "here); give another dir=, or those settings"
            )


def _load(path: Path) -> Any:
    try:
        return OmegaConf.to_container(OmegaConf.load(path), resolve=True)
    except (YAMLError, OmegaConfBaseException, OSError, ValueError) as error:
        raise ConfigError(f"{path} is not the config of a run; give another dir=") from error


def _difference(there: Any, here: Any, where: str = "") -> tuple[str, Any, Any] | None:
    """Return the first field whose values differ, and both values."""
    if not isinstance(there, dict) or not isinstance(here, dict):
        return None if there == here else (where, there, here)
    for name in {**here, **there}:
        below = f"{where}.{name}" if where else str(name)
        found = _difference(there.get(name), here.get(name), below)
        if found:
            return found
    return None

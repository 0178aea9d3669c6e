"""The directory of a training run: what it belongs to, which folds are done, where files go."""

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
from tilegrad.files import check_writable, read_json, write_json

CONFIG = "config.yaml"
RESULT = "result.json"
MODEL = "model.ckpt"

IDENTITY = ("accelerator", "workload", "data", "split", "model", "features", "targets", "seed",
            "trainer", "callbacks", "refit", "ckpt_path")  # fmt: skip
"""Fields that a run must agree in to be gone on with."""


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
        return self.path / "last.ckpt"

    @property
    def best(self) -> Path:
        """The best state by the validation loss."""
        return self.path / "best.ckpt"


def run_directory(config: DictConfig) -> Path:
    """Return the run's directory: the one given, the sweep's, or a new one under outputs/train.

    Raises ``ConfigError`` where it holds another run or cannot be written to.
    """
    directory = Path(str(config.dir)) if config.dir else _default(config)
    check_writable("dir", directory)
    saved = directory / CONFIG
    if saved.exists():
        _check_same(directory, _load(saved), config)
    return directory


def _load(path: Path) -> Any:
    try:
        return OmegaConf.to_container(OmegaConf.load(path), resolve=True)
    except (YAMLError, OmegaConfBaseException, OSError, ValueError) as error:
        raise ConfigError(f"{path} is not the config of a run; give another dir=") from error


def _default(config: DictConfig) -> Path:
    hydra_config = HydraConfig.get() if HydraConfig.initialized() else None
    if hydra_config is not None and hydra_config.mode == RunMode.MULTIRUN:
        return Path(hydra_config.sweep.dir) / str(hydra_config.sweep.subdir)
    plain = OmegaConf.to_container(config, resolve=True)
    digest = hashlib.sha256(repr(_identity(plain)).encode()).hexdigest()[:8]
    return Path("outputs") / "train" / f"{config.name}-{digest}"


def _identity(plain: Any) -> dict[str, Any]:
    found = {name: plain.get(name) for name in IDENTITY}
    # Processes do not change what is found.
    found["model"] = {k: v for k, v in plain["model"].items() if k != "workers"}
    return found


def _check_same(directory: Path, saved: Any, config: DictConfig) -> None:
    if not isinstance(saved, dict) or not isinstance(saved.get("model"), dict):
        raise ConfigError(f"dir={directory} holds another kind of run; give another dir=")
    plain = OmegaConf.to_container(config, resolve=True)
    different = _difference(_identity(saved), _identity(plain))
    if different:
        where, there, here = different
        raise ConfigError(
            f"dir={directory} holds a training with another {where} ({there} there, {here} here); "
            "give another dir=, or that training's settings"
        )


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


def fold_place(directory: Path, number: int | None) -> FoldPlace:
    """Return where a fold's files lie; None is the fit on all rows."""
    return FoldPlace(directory / ("refit" if number is None else f"fold-{number}"))


def finished(place: FoldPlace) -> dict[str, Any] | None:
    """Return a fold's result where it was finished."""
    return read_json(place.done) if place.done.exists() else None


def finish(place: FoldPlace, result: dict[str, Any], keep: bool) -> None:
    """Write a fold's result; drop its checkpoints unless they are to be kept."""
    write_json(place.done, result)
    if not keep:
        for path in (place.last, place.best):
            path.unlink(missing_ok=True)

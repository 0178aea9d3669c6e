"""Whose directory it is: that of the run whose fingerprint it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from os import getpid
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from tilegrad.errors import ConfigError
from tilegrad.files import alone, check_writable, write_text
from tilegrad.fingerprint.parts import config_parts
from tilegrad.fingerprint.record import FILE, FORMAT, Fingerprint

CONFIG = "config.yaml"
LOCK = "run.lock"
LEFT = (CONFIG, "checkpoint.pt", "result.json")
"""Files that a run leaves; without a fingerprint beside them, an earlier version's did."""


@dataclass(frozen=True)
class Kind:
    """A kind of run: its command, what it is called, the settings that it never reads.

    Data name the workload that they are of themselves, and the hardware that they have.
    ``source_alone``: of its data it reads where they come from, and nothing of how to train.
    """

    name: str
    what: str
    ignored: tuple[str, ...] = ()
    source_alone: bool = False

    def fingerprint(
        self, config: DictConfig, meanings: Mapping[str, str | None] | None = None
    ) -> Fingerprint:
        """Return the fingerprint of a composed config; ``meanings``: of what it was made into."""
        if self.source_alone:
            config = config.copy()
            with open_dict(config):
                config.data = {"source": config.data.source}
        plain: Any = OmegaConf.to_container(config, resolve=True)
        return Fingerprint(self.name, {**config_parts(plain, self.ignored), **(meanings or {})})


SEARCH = Kind("search", "a search")
TRAINING = Kind("train", "a training", ("workload", "hardware", "caps"))
EVALUATION = Kind("eval", "an evaluation", ("workload", "hardware", "caps"), source_alone=True)
KINDS = {kind.name: kind for kind in (SEARCH, TRAINING, EVALUATION)}


def job_fingerprint(config: DictConfig) -> Fingerprint:
    """Return the fingerprint of a sweep's job before it is made into anything: settings and files.

    ``config`` is the composed one, with ``hydra``.
    """
    name = str(config.hydra.job.config_name)
    fields = [str(field) for field in config if field != "hydra"]
    kind = KINDS.get(name, Kind(name, "a job"))
    return kind.fingerprint(OmegaConf.masked_copy(config, fields))


def stamped_directory(*rooms: str) -> Path:
    """Return a new directory among the outputs of a room, by date, time and process."""
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    return Path("outputs", *rooms, f"{stamp}-{getpid()}")


def run_directory(config: DictConfig, default: Callable[[], Path]) -> Path:
    """Return a run's directory: the one given, the sweep's, or else the default one.

    Raises ``ConfigError`` where it cannot be written to.
    """
    if config.dir:
        directory = Path(str(config.dir))
    else:
        hydra_config = HydraConfig.get() if HydraConfig.initialized() else None
        if hydra_config is not None and hydra_config.mode == RunMode.MULTIRUN:
            directory = Path(hydra_config.sweep.dir) / str(hydra_config.sweep.subdir)
        else:
            directory = default()
    check_writable("dir", directory)
    return directory


def check_directory(directory: Path, here: Fingerprint) -> None:
    """Refuse a directory that holds another run, naming what differs there and here."""
    there = Fingerprint.load(directory)
    if there is None:
        _check_unclaimed(directory)
        return
    if there.format != FORMAT:
        raise ConfigError(
            f"dir={directory} holds a run of format {there.format}, and this version of tilegrad "
            f"makes format {FORMAT}, whose numbers may differ; give another dir="
        )
    if there.kind != here.kind or there.kind not in KINDS:
        raise ConfigError(
            f"dir={directory} holds another kind of run ({there.kind} there, {here.kind} here); "
            "give another dir="
        )
    different = here.difference(there)
    if different:
        name, other, own = different
        raise ConfigError(
            f"dir={directory} holds {KINDS[here.kind].what} with another {name} ({other} there, "
            f"{own} here); give another dir= (of a sweep: hydra.sweep.dir=), or what it had"
        )


def _check_unclaimed(directory: Path) -> None:
    for name in LEFT:
        if (directory / name).exists():
            raise ConfigError(
                f"dir={directory} holds {name} without a {FILE}: it is of an earlier version of "
                "tilegrad, or of no run; give another dir="
            )


@contextmanager
def claimed(directory: Path, fingerprint: Fingerprint, config: DictConfig) -> Iterator[None]:
    """Work in a run's directory, alone in it; its fingerprint and its config are written first.

    Raises ``ConfigError`` where another process is at work there or it holds another run.
    """
    with alone("dir", directory, LOCK):
        check_directory(directory, fingerprint)
        fingerprint.save(directory)
        write_text(directory / CONFIG, OmegaConf.to_yaml(config, resolve=True))
        yield

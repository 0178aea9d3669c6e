"""The Hydra commands ``search``, ``train``, ``eval`` and ``compare``, from a shell or a script.

A command's code is imported when its config is found legal: help and typos wait for no tensors.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from tilegrad.entry import refusals, run_entry
from tilegrad.paths import config_directory

APPLICATIONS = {"search": None, "train": "outputs/train", "eval": "outputs/eval", "compare": None}
"""The commands, and where their sweeps go that are named after their overrides (``run_entry``)."""

_COPY = "__deepcopy__"


@dataclass(frozen=True)
class Job:
    """What Hydra runs with a composed config; workers find it by its import path."""

    name: str

    def __call__(self, config: DictConfig) -> Any:
        """Return the figure that a sweep optimises."""
        with refusals():
            return import_module(f"tilegrad.commands.{self.name}").main(config)


def run(name: str, arguments: Sequence[str] | None = None, program: str | None = None) -> int:
    """Run a command with arguments, by default the process's; return the exit code.

    ``program`` is what the help calls the command.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if program is not None and {"--help", "-h"} & set(given):
        given.append(f"hydra.help.app_name='{program}'")
    before, sys.argv = sys.argv, [sys.argv[0], *given]
    try:
        main = hydra.main(str(config_directory()), name, version_base="1.3")(Job(name))
        with _one_store():
            return run_entry(main, APPLICATIONS[name])
    finally:
        sys.argv = before


@contextmanager
def _one_store() -> Iterator[None]:
    """Have Hydra share its store of configs, which it copies for each group that it lists.

    The hundred copies are more than half of what ``--help`` takes; Hydra changes none of them.
    """
    before = getattr(ConfigStore, _COPY, None)
    setattr(ConfigStore, _COPY, lambda store, _: store)
    try:
        yield
    finally:
        if before is None:
            delattr(ConfigStore, _COPY)

"""The Hydra commands ``search``, ``train``, ``eval`` and ``compare``, from a shell or a script.

A command's code is imported when its config is found legal: help and typos wait for no tensors.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import hydra
from omegaconf import DictConfig

from tilegrad.entry import refusals, run_entry
from tilegrad.lasting import import_lasting
from tilegrad.once import composed_once, one_store, parsed_once
from tilegrad.paths import config_directory

APPLICATIONS = {"search": None, "train": "outputs/train", "eval": "outputs/eval", "compare": None}
"""The commands, and where their sweeps go that are named after their overrides (``run_entry``)."""


@dataclass(frozen=True)
class Job:
    """What Hydra runs with a composed config; workers find it by its import path."""

    name: str

    def __call__(self, config: DictConfig) -> Any:
        """Return the figure that a sweep optimises."""
        with refusals():
            return import_lasting(f"tilegrad.commands.{self.name}").main(config)


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
        with one_store(), parsed_once(), composed_once(given):
            return run_entry(main, APPLICATIONS[name])
    finally:
        sys.argv = before

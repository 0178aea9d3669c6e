"""From a composed config to a search that is ready to run; everything is checked here."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig

from tilegrad.errors import ConfigError
from tilegrad.search.checks import positive_int, positive_number
from tilegrad.search.objective import objective
from tilegrad.search.problem import SearchProblem, hardware_space
from tilegrad.search.runner import Runner
from tilegrad.search.state import Budget, Strategy


def build_runner(config: DictConfig) -> Runner:
    """Instantiate and check everything that ``conf/search.yaml`` describes; write nothing.

    Raises ``TilegradError`` subclasses naming the field, its value and what is legal.
    """
    accelerator = instantiate(config.accelerator)
    workload = instantiate(config.workload)
    space = hardware_space(accelerator, _plain(config.hardware), _plain(config.caps))
    problem = SearchProblem(accelerator, workload, space, objective(config.objective))
    problem.check_feasible()
    strategy: Strategy = instantiate(config.strategy)
    seed = positive_int("seed", config.seed, least=0)
    budget = _budget(_plain(config.budget))
    directory = Path(config.dir) if config.dir else _default_directory(problem, strategy)
    if directory.exists() and not directory.is_dir():
        raise ConfigError(f"dir={directory} is a file; give a directory")
    return Runner(problem, strategy, budget, seed, directory, _identity(problem, strategy, seed))


def _plain(section: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in section.items()}


def _budget(fields: dict[str, Any]) -> Budget:
    samples, seconds = fields["samples"], fields["seconds"]
    return Budget(
        None if samples is None else positive_int("budget.samples", samples),
        None if seconds is None else positive_number("budget.seconds", seconds),
    )


def _default_directory(problem: SearchProblem, strategy: Strategy) -> Path:
    """Return a new directory for this run; jobs of a sweep have theirs below the sweep's."""
    hydra_config = HydraConfig.get() if HydraConfig.initialized() else None
    if hydra_config is not None and hydra_config.mode == RunMode.MULTIRUN:
        return Path(hydra_config.sweep.dir) / str(hydra_config.sweep.subdir)
    name = f"{problem.workload.name}-{problem.accelerator.name}-{strategy.name}"
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    return Path("outputs") / "search" / name / f"{stamp}-{os.getpid()}"


def _identity(problem: SearchProblem, strategy: Strategy, seed: int) -> dict[str, str]:
    """Return what a checkpoint must agree in to be gone on with, part by part."""
    settings = asdict(strategy)  # type: ignore[call-overload]
    settings.pop("workers", None)
    space = problem.hardware
    return {
        "workload": f"{problem.workload.name} {_digest(repr(problem.workload.layers))}",
        "accelerator": f"{problem.accelerator.name} {_digest(repr(problem.accelerator))}",
        "hardware": f"{dict(space.fixed)}",
        "caps": f"{dict(space.caps)}, area_mm2: {space.area_cap}",
        "objective": problem.objective.name,
        "strategy": f"{settings}",
        "seed": str(seed),
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]

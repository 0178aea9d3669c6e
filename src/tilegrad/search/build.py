"""From a composed config to a search that is ready to run; everything is checked here."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from tilegrad.checks import known_fields, positive_int, positive_number, section
from tilegrad.files import check_writable
from tilegrad.search.checkpoint import load_checkpoint
from tilegrad.search.latency import Learned, check_gradients, latency_model
from tilegrad.search.objective import objective
from tilegrad.search.problem import SearchProblem, hardware_space
from tilegrad.search.runner import Runner
from tilegrad.search.state import Budget, Strategy

FIELDS = (
    "accelerator", "hardware", "caps", "workload", "strategy", "objective", "seed", "dir",
    "budget", "optimized_metric", "report", "progress", "target", "ckpt", "ckpt_penalty",
    "ckpt_upper",
)  # fmt: skip
"""The fields of ``conf/search.yaml``."""


def build_runner(config: DictConfig) -> Runner:
    """Instantiate and check everything that ``conf/search.yaml`` describes; write nothing.

    Raises ``TilegradError`` subclasses naming the field, its value and what is legal.
    """
    known_fields("", config, FIELDS)
    accelerator = instantiate(config.accelerator)
    workload = instantiate(config.workload)
    space = hardware_space(accelerator, config.hardware, config.caps)
    learned = Learned(config.ckpt, config.ckpt_penalty, config.ckpt_upper)
    model = latency_model(learned, accelerator)
    problem = SearchProblem(accelerator, workload, space, objective(config.objective), model)
    problem.check_feasible()
    strategy: Strategy = instantiate(config.strategy)
    strategy.check(problem)
    check_gradients(strategy, model, config.ckpt)
    seed = positive_int("seed", config.seed, least=0)
    budget = _budget(config.budget)
    directory = Path(str(config.dir)) if config.dir else _default_directory(problem, strategy)
    check_writable("dir", directory)
    identity = {
        **_identity(problem, strategy, seed, OmegaConf.to_yaml(config.accelerator, resolve=True)),
        "ckpt": learned.identity(),
    }
    # Another search's directory is refused before anything in it changes.
    load_checkpoint(directory, identity)
    return Runner(problem, strategy, budget, seed, directory, identity)


def _budget(given: object) -> Budget:
    fields = section("budget", given, ("samples", "seconds"))
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


def _identity(
    problem: SearchProblem, strategy: Strategy, seed: int, accelerator: str
) -> dict[str, str]:
    """Return what a checkpoint must agree in to be gone on with, part by part.

    ``accelerator`` is its description; every part reads the same in every process.
    """
    settings = asdict(strategy)  # type: ignore[call-overload]
    settings.pop("workers", None)
    space = problem.hardware
    return {
        "workload": f"{problem.workload.name} {_digest(repr(problem.workload.layers))}",
        "accelerator": f"{problem.accelerator.name} {_digest(accelerator)}",
        "hardware": f"{dict(space.fixed)}",
        "caps": f"{dict(space.caps)}, area_mm2: {space.area_cap}",
        "objective": problem.objective.name,
        "strategy": f"{settings}",
        "seed": str(seed),
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]

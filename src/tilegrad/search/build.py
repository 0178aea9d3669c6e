"""From a composed config to a search that is ready to run; everything is checked here."""

from __future__ import annotations

from dataclasses import asdict, replace

from hydra.utils import instantiate
from omegaconf import DictConfig

from tilegrad.accelerator import accelerator_digest
from tilegrad.accelerator.limited import with_bandwidth
from tilegrad.checks import choice, known_fields, positive_int, positive_number, section
from tilegrad.errors import ConfigError
from tilegrad.fingerprint.claim import SEARCH, check_directory, run_directory, stamped_directory
from tilegrad.fingerprint.code import own_code
from tilegrad.fingerprint.digests import digest
from tilegrad.search.bound import BOUNDS
from tilegrad.search.budget import Budget
from tilegrad.search.caps import read_caps
from tilegrad.search.checkpoint import load_checkpoint
from tilegrad.search.device import search_device
from tilegrad.search.diagnosis import check_reachable
from tilegrad.search.latency import (
    Learned,
    check_gradients,
    check_padding,
    check_shapes,
    latency_model,
)
from tilegrad.search.limits import hardware_space
from tilegrad.search.objective import objective
from tilegrad.search.padding import ALWAYS, AUTO, PADDINGS
from tilegrad.search.problem import CPU, SearchProblem
from tilegrad.search.runner import Runner, run_name
from tilegrad.search.state import Strategy
from tilegrad.shape.conv import CONV
from tilegrad.workload import Problem

FIELDS = (
    "accelerator", "hardware", "caps", "workload", "strategy", "padding", "objective", "seed",
    "dir", "budget", "optimized_metric", "report", "progress", "target", "ckpt", "ckpt_penalty",
    "ckpt_upper", "logger", "log", "device", "bound", "front", "points", "baseline", "over",
    "spread", "measure",
)  # fmt: skip
"""The fields of ``conf/search.yaml``."""


def build_runner(config: DictConfig) -> Runner:
    """Instantiate and check everything that ``conf/search.yaml`` describes; write nothing.

    Raises ``TilegradError`` subclasses naming the field, its value and what is legal.
    """
    known_fields("", config, FIELDS)
    for field in ("front", "baseline", "over"):
        if config.get(field) is not None:
            raise ConfigError(f"{field} is given, and one search is no front; legal here: null")
    accelerator = with_bandwidth(instantiate(config.accelerator), config.caps)
    workload = instantiate(config.workload)
    space = hardware_space(accelerator, config.hardware, config.caps)
    learned = Learned(config.ckpt, config.ckpt_penalty, config.ckpt_upper)
    model = latency_model(learned, accelerator)
    check_shapes(model, workload, config.ckpt)
    device = search_device(config.device, config.ckpt)
    problem = SearchProblem(workload, space, objective(config.objective), model, device)
    problem = replace(problem, caps=read_caps(accelerator, config.caps))
    strategy: Strategy = instantiate(config.strategy)
    problem = replace(problem, padded=_is_padded(config, problem, strategy))
    problem.check_size()
    problem.check_feasible()
    check_reachable(problem)
    problem.pricing.check()
    problem.check_predictions()
    strategy.check(problem)
    check_gradients(strategy, model, config.ckpt)
    if (prepared := getattr(strategy, "prepared", None)) is not None:
        problem = prepared(problem)
    seed = positive_int("seed", config.seed, least=0)
    budget, bound = _budget(config.budget), choice("bound", config.bound, BOUNDS)
    directory = run_directory(
        config, lambda: stamped_directory("search", run_name(problem, strategy))
    )
    fingerprint = SEARCH.fingerprint(config, _meanings(problem))
    # Another search's directory is refused before anything in it changes.
    check_directory(directory, fingerprint)
    load_checkpoint(directory, fingerprint.digest)
    return Runner(problem, strategy, budget, seed, directory, fingerprint, bound)


def _is_padded(config: DictConfig, problem: SearchProblem, strategy: Strategy) -> bool:
    """Return whether factors of awkward bounds need not divide them, as ``padding`` says."""
    padding = choice("padding", config.padding, PADDINGS)
    check_padding(padding, problem.model, config.ckpt)
    # Strategies and targets of one's own need not say.
    pads = getattr(strategy, "pads", True)
    runs = getattr(instantiate(config.get("target")), "runs_padded", True)
    pays = pads and runs and problem.learned is None and problem.idleness.pays
    return padding == ALWAYS or (padding == AUTO and pays)


def _budget(given: object) -> Budget:
    fields = section("budget", given, ("samples", "seconds"))
    samples, seconds = fields["samples"], fields["seconds"]
    return Budget(
        None if samples is None else positive_int("budget.samples", samples),
        None if seconds is None else positive_number("budget.seconds", seconds),
    )


def _algebra(layer: Problem) -> tuple[str, ...]:
    """Return what a layer computes, where that is no convolution of one group."""
    return () if layer.shape == CONV else (digest(asdict(layer.shape)),)


def _meanings(problem: SearchProblem) -> dict[str, str | None]:
    """Return what the config was made into, as digests that read the same in every process."""
    layers = [
        (each.name, each.count, each.bounds, each.strides, *_algebra(each))
        for each in problem.workload
    ]
    coverage = problem.workload.coverage
    # A checkpoint names its predictor's class, which may be the user's own.
    predictor = getattr(problem.model, "predictor", problem.model)
    return {
        "accelerator": accelerator_digest(problem.accelerator),
        "workload": digest(layers),
        # What a network was read from beside the config: a module's code, say.
        "graph": None if coverage is None else coverage.graph,
        # The clock tells nothing else.
        "clock": str(problem.caps.clock_mhz) if problem.caps.any else None,
        "predictor": own_code(type(predictor).__module__),
        # What it came to, in place of auto; searches on the processor are those before devices.
        "device": None if problem.device == CPU else problem.device.type,
    }

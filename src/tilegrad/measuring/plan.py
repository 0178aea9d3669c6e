"""How much is measured, as a config says, and what cannot be."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import DictConfig

from tilegrad.checks import choice, positive_int, section
from tilegrad.errors import ConfigError
from tilegrad.machines.gemmini.template import PARAMETERS
from tilegrad.measuring.choice import CHOICES
from tilegrad.predictors.checkpoint import load_predictor
from tilegrad.pretrained import checkpoint_path
from tilegrad.search.problem import SearchProblem
from tilegrad.targets.gemmini.layers import not_calibrated
from tilegrad.training.calibration import adaptable

MEASURED = ("edp", "latency", "area-delay")
"""Objectives that cycles have a part in."""


@dataclass(frozen=True)
class Plan:
    """The fields of ``measure`` of ``conf/search.yaml``."""

    rounds: int
    per_round: int
    choice: str

    @classmethod
    def of(cls, given: object) -> Plan:
        """Return what the config says; ``ConfigError`` names what is illegal."""
        fields = section("measure", given, ("rounds", "per_round", "choice"))
        return cls(
            positive_int("measure.rounds", fields["rounds"], least=0),
            positive_int("measure.per_round", fields["per_round"]),
            choice("measure.choice", fields["choice"], CHOICES),
        )


def check_plan(config: DictConfig, problem: SearchProblem) -> None:
    """Refuse what cannot be measured in rounds, naming field, value and what is legal."""
    if problem.learned is None:
        raise ConfigError("measure.rounds is above 0 without a ckpt; legal: ckpt=gemmini_rtl")
    for name in PARAMETERS:
        if name not in problem.hardware.fixed:
            raise ConfigError(
                f"hardware.{name} is null, and programs are measured on one machine; legal: "
                f"numbers for {', '.join(PARAMETERS)} (Gemmini's default: 16, 128, 32)"
            )
    if config.objective not in MEASURED:
        raise ConfigError(
            f"objective is {config.objective!r}, which no measured cycles change; legal beside "
            f"measure.rounds: {', '.join(MEASURED)}"
        )
    if problem.workload.networks is not None or len(problem.workload.layers) < 2:
        raise ConfigError("measure.rounds is above 0; legal: one network of two layers or more")
    if config.get("logger"):
        raise ConfigError(
            "logger is given beside measure.rounds, whose rounds serve none; legal: null"
        )
    for layer in problem.workload.layers:
        if (reason := not_calibrated(layer)) is not None:
            raise ConfigError(f"layer {layer.name!r} cannot be measured: {reason}")
    adaptable(load_predictor(checkpoint_path(config.ckpt), problem.accelerator))

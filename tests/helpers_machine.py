"""A Gemmini that there is not: the packaged checkpoint with other costs than it says."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.func import functional_call

from tilegrad.accelerator import load_accelerator
from tilegrad.datamodules import feature_rows
from tilegrad.predictors.adaptation import applied, no_factors
from tilegrad.predictors.checkpoint import load_predictor
from tilegrad.predictors.features import feature_set
from tilegrad.predictors.pipeline import Pipeline
from tilegrad.pretrained import checkpoint_path
from tilegrad.schedules import TableFile
from tilegrad.targets.gemmini import GemminiTarget, parse_logs
from tilegrad.targets.gemmini.boots import Cycles
from tilegrad.targets.tool import ToolError

BEGIN = re.compile(r'"(tilegrad: begin .+?)\\n"')


@dataclass(frozen=True)
class HiddenMachine(GemminiTarget):
    """Answers programs by the checkpoint whose costs are multiplied by hidden factors.

    ``seed`` draws their logs, of deviation ``apart``, and for every program another of ``noise``.
    Programs whose name has ``broken`` in it have no answer.
    """

    simulator: str | None = "hidden"
    seed: int = 0
    apart: float = 0.4
    noise: float = 0.03
    broken: str = "no layer's"

    def run_programs(self, exported: Path, programs: list[Path]) -> dict[str, Cycles | ToolError]:
        logs = []
        for program in programs:
            begin = BEGIN.search(program.read_text())
            assert begin is not None
            log = program.with_suffix(".log")
            log.write_text(f"{begin[1]}\ntilegrad: end {program.stem} cycles=1\n")
            logs.append(log)
        accelerator = load_accelerator("gemmini")
        table = exported / "asked.csv"
        parse_logs(logs, accelerator, table)
        predictor = load_predictor(checkpoint_path("gemmini_rtl"), accelerator)
        assert isinstance(predictor, Pipeline)
        schedules = TableFile(str(table), accelerator, duplicates=True).load()
        rows = feature_rows(schedules, feature_set("commands"), ("latency",))
        log_cycles = self._log_cycles(predictor, rows.features)
        return {
            program.stem: ToolError(f"{program.stem}: broken")
            if self.broken in program.stem
            else Cycles(int(1.5 * float(cycles)), int(float(cycles)))
            for program, cycles in zip(programs, log_cycles.exp(), strict=True)
        }

    @torch.no_grad()
    def _log_cycles(self, predictor: Pipeline, features: torch.Tensor) -> torch.Tensor:
        random = torch.Generator().manual_seed(self.seed)
        found = deepcopy(predictor).double()
        raw = {name: value.detach() for name, value in found.named_parameters()}
        hidden = {
            name: self.apart * torch.randn(value[0].shape, generator=random).double()
            for name, value in no_factors(found, 1).items()
        }
        parameters = applied(raw, hidden)
        log_cycles = functional_call(found, parameters, (features.double(),)).squeeze(-1)
        # Of a program, not of its place among others.
        each = (features.double().sum(-1) * 1e4).sin()
        return log_cycles + self.noise * each

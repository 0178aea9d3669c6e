"""A search in rounds: search, measure what is worth it, recalibrate, search again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, open_dict
from rich.console import Console

from tilegrad.checks import flag
from tilegrad.commands.search import print_summary, warn
from tilegrad.commands.stopping import stop
from tilegrad.commands.written import write_found, write_result
from tilegrad.errors import ConfigError
from tilegrad.files import read_json, write_json
from tilegrad.fingerprint.claim import claimed, run_directory, stamped_directory
from tilegrad.machines.gemmini.system import System
from tilegrad.measuring.choice import SEARCH, chosen
from tilegrad.measuring.outcome import curve_of, write_curve
from tilegrad.measuring.plan import Plan, check_plan
from tilegrad.measuring.programs import Programs, programs_near
from tilegrad.measuring.record import Record
from tilegrad.measuring.table import Measured, read_measured, write_measured
from tilegrad.predictors.checkpoint import load_predictor, save_predictor
from tilegrad.pretrained import checkpoint_path
from tilegrad.provenance import provenance
from tilegrad.search import Runner, SearchState, build_runner
from tilegrad.search.objective import UJ_PER_PJ
from tilegrad.search.problem import NAMED
from tilegrad.search.progress import live_progress
from tilegrad.search.state import generator as random_of
from tilegrad.targets.design import Design, layer_directory
from tilegrad.targets.gemmini.export import write_gemmini
from tilegrad.targets.gemmini.target import GemminiTarget
from tilegrad.targets.tool import ToolError
from tilegrad.training.calibration import calibrated

if TYPE_CHECKING:
    from tilegrad.accelerator import Accelerator
    from tilegrad.mapping import LoopNest
    from tilegrad.record import Result
    from tilegrad.workload import Workload

ROUNDS, TABLE, FAILED, CKPT = "rounds", "measured.csv", "failed.json", "calibrated.ckpt"


def search_measured(config: DictConfig) -> Result:
    """Search in rounds as ``measure`` says; return what result.json holds.

    The same command goes on with interrupted rounds, or with further ones. Raises
    ``TilegradError`` subclasses on bad input and ``KeyboardInterrupt``.
    """
    torch.set_num_threads(1)
    loop = _Loop.begin(config)
    warn(loop.first.problem)
    with claimed(loop.directory, loop.first.fingerprint, config):
        for number in range(1, loop.plan.rounds + 1):
            loop.round(number)
        result = loop.finish()
    if flag("progress", config.progress):
        print_summary(result, loop.directory)
    return result


@dataclass
class _Loop:
    """The rounds of one search; ``measured`` is in order, ``failed`` holds (layer, call)."""

    config: DictConfig
    plan: Plan
    first: Runner
    target: GemminiTarget
    measured: list[Measured] = field(default_factory=list)
    failed: set[tuple[int, str]] = field(default_factory=set)

    @classmethod
    def begin(cls, config: DictConfig) -> _Loop:
        """Check everything before anything is written."""
        plan = Plan.of(config.measure)
        target = instantiate(config.get("target"))
        if not isinstance(target, GemminiTarget) or target.simulator is None:
            raise ConfigError(
                "measure.rounds is above 0, and there is nothing to measure on; legal: "
                "target=gemmini with target.simulator, or measure.rounds=0"
            )
        directory = run_directory(config, lambda: stamped_directory("measured"))
        own = config.copy()
        with open_dict(own):
            own.dir = str(directory / ROUNDS / "00")
        first = build_runner(own)
        target.check(first.problem.accelerator)
        check_plan(config, first.problem)
        rule = {"measure": f"{plan.choice}, {plan.per_round} programs in a round"}
        fingerprint = replace(first.fingerprint, parts={**first.fingerprint.parts, **rule})
        whole = replace(first, fingerprint=fingerprint, directory=directory)
        return cls(config, plan, whole, target)

    @property
    def directory(self) -> Path:
        """The directory of the whole."""
        return self.first.directory

    def _place(self, number: int) -> Path:
        return self.directory / ROUNDS / f"{number:02d}"

    @property
    def _what(self) -> tuple[Workload, Mapping[str, float], Accelerator]:
        problem = self.first.problem
        return problem.workload, problem.hardware.fixed, problem.accelerator

    def round(self, number: int) -> None:
        """Search, measure and recalibrate once; what was measured before is read."""
        place = self._place(number)
        if not (place / TABLE).exists():
            runner, state = self._searched(number)
            assert state.best is not None
            rows = self._measure(number, runner, state.best)
            write_json(place / FAILED, {"failed": sorted(self.failed)})
            write_measured(place / TABLE, rows, *self._what)
        self.measured += read_measured(place / TABLE, *self._what)
        self.failed = {(layer, call) for layer, call in read_json(place / FAILED)["failed"]}
        write_measured(self.directory / TABLE, self.measured, *self._what)
        # Intervals come from layers left out, so that there must be two.
        learns = self.plan.choice != SEARCH and len({row.layer for row in self.measured}) > 1
        if learns and not (place / CKPT).exists():
            self._calibrate(number)

    def _searched(self, number: int) -> tuple[Runner, SearchState]:
        """Return the round's search, by what was learned before it."""
        runner, own = self._runner(number)
        name = f"round {number} of {self.plan.rounds}"
        with claimed(runner.directory, runner.fingerprint, own):
            with live_progress(name, flag("progress", self.config.progress)) as observe:
                state, status = runner.run(observe)
            if state.best is not None:
                write_found(runner, state, status)
        if status == "interrupted":
            stop(self.directory)
        return runner, state

    def _runner(self, number: int) -> tuple[Runner, DictConfig]:
        own = self.config.copy()
        with open_dict(own):
            own.target, own.report, own.measure.rounds = None, False, 0
            own.dir = str(self._place(number) / "search")
            own.ckpt = self._learned(number)
        return build_runner(own), own

    def _learned(self, number: int) -> str:
        """Return the checkpoint of a round: what the rounds before it taught."""
        learned = [self._place(before) / CKPT for before in range(1, number)]
        found = [str(place) for place in learned if place.exists()]
        return found[-1] if found else str(self.config.ckpt)

    def _measure(self, number: int, runner: Runner, design: LoopNest) -> list[Measured]:
        problem = runner.problem
        programs = programs_near(problem, design)
        picked = self._picked(number, programs)
        runs = tuple((programs[at].problem, programs[at].nests[row]) for at, row in picked)
        if not runs:
            raise ConfigError(
                f"round {number} has no program left to measure; legal: measure.rounds up to "
                f"{number - 1} here"
            )
        place = self._place(number)
        design_of = Design(problem.accelerator, problem.hardware.fixed, runs, problem.workload.name)
        written = write_gemmini(design_of, place, check=self.target.verify)
        try:
            found = self.target.run_programs(place, list(written.programs))
        except KeyboardInterrupt:
            stop(self.directory)
        rows, warm = [], System.of(problem.accelerator).warm
        for at, ((layer, row), (own, nest)) in enumerate(zip(picked, runs, strict=True)):
            ran = found[layer_directory(at, own.name)]
            if isinstance(ran, ToolError):
                Console(stderr=True).print(f"round {number}: {ran}", markup=False)
                self.failed.add((layer, programs[layer].calls[row]))
                continue
            predicted = float(programs[layer].mean[row].exp())
            what = number, layer, nest, programs[layer].calls[row], predicted
            rows.append(Measured(*what, ran.as_measured(warm), ran.cold, ran.warm))
        if not rows:
            raise ConfigError(
                f"round {number}: none of {len(runs)} programs was measured, as said above"
            )
        return rows

    def _picked(self, number: int, programs: list[Programs]) -> list[tuple[int, int]]:
        record = Record.of(self.measured, self.first.problem)
        seen: list[set[str]] = [set() for _ in programs]
        for row in self.measured:
            seen[row.layer].add(row.program)
        for layer, call in self.failed:
            seen[layer].add(call)
        return chosen(
            programs,
            seen,
            record.standing(programs),
            self.first.problem.goal.objective,
            self.plan.per_round,
            self.plan.choice,
            random_of(self.first.seed, number),
        )

    def _calibrate(self, number: int) -> None:
        accelerator = self.first.problem.accelerator
        predictor = load_predictor(checkpoint_path(self.config.ckpt), accelerator)
        found, rows, layers = calibrated(predictor, self.directory / TABLE, accelerator)
        save_predictor(found.predictor, self._place(number) / CKPT)
        Console(stderr=True).print(
            f"round {number}: {rows} measurements of {layers} layers, mean error "
            f"{100 * found.before:.1f} % before, {100 * found.after:.1f} % after recalibration",
            soft_wrap=True,
        )

    def finish(self) -> Result:
        """Write the best measured design as the result, with how it improved."""
        from tilegrad.record import RESULT, parse_result

        # Of a round more: by what the last one taught.
        problem = self._runner(self.plan.rounds + 1)[0].problem
        # What was measured are the programs as exported.
        exported = (None,) * len(problem.workload.layers)
        problem = replace(problem, calls=problem.calls or exported)
        record = Record.of(self.measured, problem)
        best = record.best()
        if best is None:
            raise ConfigError(
                f"{_unmeasured(record)} have no measurement, so there is no measured design yet; "
                "legal: more measure.rounds or measure.per_round, and the same command goes on"
            )
        state = SearchState(best=record.design(best), done=True, samples=len(self.measured))
        state.note(provenance(self.first.fingerprint))
        state.value, state.edp = best.value, best.energy * UJ_PER_PJ * best.cycles
        found = write_result(replace(self.first, problem=problem), state, "complete").as_json()
        for layer, row in zip(found["layers"], best.rows, strict=True):
            own = self.measured[row]
            layer["measured_cycles"] = own.cycles
            layer["measured_cold_cycles"] = own.cold
            layer["measured_warm_cycles"] = own.warm
        found["measured"] = {
            "edp": state.edp,
            "cycles": best.cycles,
            "programs": len(self.measured),
        }
        file = self.directory / RESULT
        result = parse_result(found, str(file))
        write_json(file, result.as_json())
        write_curve(
            self.directory, curve_of(record), f"{problem.workload.name}, {self.plan.choice}"
        )
        return result


def _unmeasured(record: Record) -> str:
    layers = record.problem.workload.layers
    seen = set(record.layer.tolist())
    names = [repr(layer.name) for place, layer in enumerate(layers) if place not in seen]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"layers {', '.join(names[:NAMED])}{more}"

"""What a search leaves in its directory, whichever command ran it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tilegrad.files import write_json
from tilegrad.search import Runner, SearchProblem, SearchState, design_record, write_history
from tilegrad.search.networks import write_networks
from tilegrad.search.predictions import too_large

if TYPE_CHECKING:
    from tilegrad.cost.latency import LearnedModel
    from tilegrad.mapping import LoopNest
    from tilegrad.record import Result


def write_result(runner: Runner, state: SearchState, status: str) -> Result:
    """Write result.json and history.csv; return what the former holds."""
    # Imported here: a search starts without pydantic.
    from tilegrad.record import FORMAT, RESULT, parse_result, stated_coverage

    assert state.best is not None
    problem = _as_called(runner.problem, state.best)
    design = design_record(state.best, problem)
    beyond = [*problem.accelerator.beyond_tables(design["hardware"])]
    if problem.learned is not None:
        beyond += too_large(state.best, problem, problem.learned)
        beyond += _without_program(problem, problem.learned)
    values = {
        "format": FORMAT,
        **design,
        **stated_coverage(problem.workload.coverage),
        **_proven(state, problem),
        "warnings": (*problem.warnings, *state.warnings, *beyond),
        "samples": state.samples,
        "seconds": round(state.seconds + sum(own.seconds for own in problem.own), 3),
        "seed": runner.seed,
        "strategy": runner.strategy.name,
        "status": status,
        **state.made_by[-1],
        "made_by": state.made_by,
    }
    write_history(runner.directory / "history.csv", state, problem.goal)
    if networks := design.get("networks"):
        write_networks(runner.directory / "networks.csv", networks)
    result = parse_result(values, str(runner.directory / RESULT))
    write_json(runner.directory / RESULT, result.as_json())
    return result


def write_found(runner: Runner, state: SearchState, status: str) -> Result:
    """Write result.json, history.csv and, where something was proven, its certificate."""
    # Imported here: a search starts without the exact strategy.
    from tilegrad.search.exact.certificate import write_certificate

    result = write_result(runner, state, status)
    write_certificate(runner.directory, runner.problem, state)
    return result


def _proven(state: SearchState, problem: SearchProblem) -> dict[str, Any]:
    """Return the bound and the gap, or why nothing was proven."""
    if state.gap is None:
        return {"unproven": state.unproven} if state.unproven else {}
    return {"gap": state.gap, "bound": problem.goal.reported(state.bound)}


def _as_called(problem: SearchProblem, design: LoopNest) -> SearchProblem:
    """Return the problem with the calls of a machine's library that run a design fastest."""
    if problem.learned is None:
        return problem
    from tilegrad.targets.gemmini.faster import with_faster_calls

    return with_faster_calls(problem, design)


def _without_program(problem: SearchProblem, model: LearnedModel) -> list[str]:
    """Return a warning where a model of a machine's commands predicts layers that it cannot run."""
    from tilegrad.targets.gemmini.faster import counts_commands
    from tilegrad.targets.gemmini.layers import obstacle

    if not counts_commands(model):
        return []
    reasons = [(layer.name, obstacle(layer)) for layer in problem.workload.layers]
    told = "; ".join(f"{name!r}: {reason}" for name, reason in reasons if reason is not None)
    words = "layers whose latency is predicted, and of which Gemmini's library has no program"
    return [f"{words} ({told})"] if told else []

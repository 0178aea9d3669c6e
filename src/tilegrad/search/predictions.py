"""What a learned model says of a found design, beside the nest's own figures."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tilegrad.cost.footprint import Footprint
from tilegrad.cost.latency import LearnedModel
from tilegrad.cost.network import NetworkCost
from tilegrad.mapping import LoopNest
from tilegrad.search.objective import UJ_PER_PJ
from tilegrad.search.problem import SearchProblem

LEVEL = 0.9
"""Of the intervals in results."""

FULL = 1 + 1e-5
"""Share of a memory up to which a tile fits it: single precision."""


def design_sums(problem: SearchProblem, nests: LoopNest) -> Footprint:
    """Return the footprints ``[layer]`` of the design ``nests [1, layer]``, for a model."""
    return problem.footprint(nests).expand(1, len(problem.workload.layers))[0]


def add_predictions(
    record: dict[str, Any],
    nests: LoopNest,
    cost: NetworkCost,
    problem: SearchProblem,
    model: LearnedModel,
) -> None:
    """Add to the record of the design ``nests [1, layer]`` what the model predicts.

    Latency in cycles, EDP in uJ*cycles with the nest's energy, each with an interval where the
    model has any; and, layer by layer, the features that lie outside the model's training range.
    The ends of a total are the sums of the layers' ends, as if all erred the same way: wider than
    its level asks for.
    """
    sums = design_sums(problem, nests)
    cycles = model.predicted(sums, problem.accelerator, cost.hardware)
    outside = model.departures(sums, problem.accelerator, cost.hardware)
    total = float((cycles * problem.workload.counts).sum())
    energy = float(cost.energy_pj[0]) * UJ_PER_PJ
    record["predicted"] = {"model": model.name, "edp": energy * total, "cycles": total}
    factor = model.factor(sums, problem.accelerator, cost.hardware, LEVEL)
    if factor is not None:
        ends = {"low": cycles / factor, "high": cycles * factor}
        totals = {name: float((end * problem.workload.counts).sum()) for name, end in ends.items()}
        record["predicted"] |= {
            "level": LEVEL,
            **{f"cycles_{name}": end for name, end in totals.items()},
            **{f"edp_{name}": energy * end for name, end in totals.items()},
        }
        for layer, *both in zip(record["layers"], *ends.values(), strict=True):
            layer["predicted_interval"] = [float(end) for end in both]
    for layer, predicted, departures in zip(record["layers"], cycles, outside, strict=True):
        layer["predicted_cycles"] = float(predicted)
        layer["outside_training_range"] = [asdict(departure) for departure in departures]


def too_large(nests: LoopNest, problem: SearchProblem, model: LearnedModel) -> list[str]:
    """Return a warning where tiles of the design ``nests [layer]`` fit the nest's levels alone.

    By the model's account of the machine, which counts whole rows of the array, they do not.
    """
    cost, _ = problem.evaluate(nests.alone())
    sums = design_sums(problem, nests.alone())
    told = []
    for memory, shares in model.occupied(sums, problem.accelerator, cost.hardware).items():
        for layer, share in zip(problem.workload.layers, shares.tolist(), strict=True):
            if share > FULL:
                told.append(f"{layer.name!r} {share:.3g} times the {memory}")
    if not told:
        return []
    return [
        f"tiles that fit the nest's levels do not fit the machine in whole rows of the array "
        f"({', '.join(told)}): latency is predicted as if they did, and programs need smaller ones "
        "or larger memories; more samples, strategy=gradient or larger hardware.* may find some "
        "that fit"
    ]

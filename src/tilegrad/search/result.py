"""What a search leaves: the design as a record, the history as a table."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import torch

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.build import AREA
from tilegrad.accelerator.limited import BANDWIDTH
from tilegrad.cost.hardware import ARITHMETIC, area_mm2, mac_units
from tilegrad.cost.network import NetworkCost
from tilegrad.errors import InfeasibleError
from tilegrad.files import write_text
from tilegrad.mapping import LoopNest, format_shorthand
from tilegrad.search.caps import NEAR
from tilegrad.search.goal import Goal
from tilegrad.search.networks import networks_record
from tilegrad.search.objective import UJ_PER_PJ
from tilegrad.search.predictions import add_predictions
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState

HISTORY_COLUMNS = ("samples", "seconds", "edp")
BOUNDED_COLUMNS = (*HISTORY_COLUMNS, "value", "bound")


def design_record(nests: LoopNest, problem: SearchProblem) -> dict[str, Any]:
    """Return totals, hardware and layers of a design ``[layer]`` with its exact costs.

    Energy in uJ, latency in cycles, area in mm², EDP in uJ*cycles; layers' figures are those of one
    execution. They are the nest's; what a learned model of the latency says stands beside them.

    Raises ``InfeasibleError`` for a design that does not fit its hardware or exceeds a limit.
    """
    design = nests.alone()
    cost, value = problem.evaluate(design)
    if not bool(value < torch.inf):
        reason = problem.misfit(design, cost.hardware) or "its hardware exceeds a limit"
        raise InfeasibleError(
            f"the design is not feasible and is not reported ({reason}); where it comes from a "
            "checkpoint.pt of another version: search afresh, with another dir="
        )
    energy = float(cost.energy_pj[0]) * UJ_PER_PJ
    cycles = int(cost.cycles[0])
    record = {
        "edp": energy * cycles,
        "energy_uj": energy,
        "cycles": cycles,
        "area_mm2": float(cost.area_mm2.reshape(-1)[0]),
        "objective": problem.objective.name,
        "workload": problem.workload.name,
        "accelerator": problem.accelerator.name,
        "hardware": {name: _plain(value) for name, value in cost.hardware.items()},
        "clock_mhz": problem.accelerator.clock_mhz,
        "at_cap": [*at_cap(cost, problem), *_figures_at_cap(design, cost, problem)],
        "layers": [
            _layer(index, nests, cost, problem) for index in range(len(problem.workload.layers))
        ],
    }
    if problem.workload.networks is not None:
        record |= networks_record(design, cost, float(value[0]), problem)
    if problem.learned is not None:
        add_predictions(record, design, cost, problem, problem.learned)
    return record


def _plain(value: Any) -> int | float:
    number = float(value.reshape(-1)[0])
    return int(number) if number.is_integer() else number


def _layer(
    index: int, nests: LoopNest, cost: NetworkCost, problem: SearchProblem
) -> dict[str, Any]:
    # Imported here: a search starts without pydantic.
    from tilegrad.record.shapes import stated_shape

    layer = problem.workload.layers[index]
    parts = part_names(problem.accelerator)
    cycles = cost.layers.cycles_by_part[0, index].tolist()
    units = float(torch.as_tensor(mac_units(problem.accelerator, cost.hardware)))
    energy = [pj * UJ_PER_PJ for pj in cost.layers.energy_by_part_pj[0, index].tolist()]
    return {
        "name": layer.name,
        **({"names": [layer.name, *layer.also]} if layer.also else {}),
        "count": layer.count,
        **stated_shape(layer.shape),
        "problem": layer.as_dict(),
        "mapping": format_shorthand(nests[index], problem.accelerator.running(layer.shape)),
        **({"call": call} if problem.calls and (call := problem.calls[index]) else {}),
        "energy_uj": sum(energy),
        "cycles": int(max(cycles)),
        "pe_utilisation": layer.macs / (units * max(cycles)),
        "bottleneck": parts[cycles.index(max(cycles))],
        "energy_by_part_uj": dict(zip(parts, energy, strict=True)),
        "cycles_by_part": dict(zip(parts, map(int, cycles), strict=True)),
    }


def at_cap(cost: NetworkCost, problem: SearchProblem) -> list[str]:
    """Return the parameters of a design ``[1]`` that a cap keeps from growing; not fixed ones.

    The area is among them where one unit more of any parameter would exceed its cap.
    """
    space, sizes = problem.hardware, {n: float(v) for n, v in cost.hardware.items()}
    free = [name for name in sizes if name not in space.fixed]
    capped = [name for name in free if sizes[name] >= space.limit(name)]
    if space.area_cap is not None:
        larger = [{**sizes, name: sizes[name] + 1} for name in free]
        areas = [float(area_mm2(problem.accelerator, hardware)) for hardware in larger]
        capped += [AREA] if areas and min(areas) > space.area_cap else []
    return capped


def _figures_at_cap(design: LoopNest, cost: NetworkCost, problem: SearchProblem) -> list[str]:
    """Return the caps on what a design ``[1, layer]`` does that hold it back.

    That on DRAM's bandwidth does where some layer waits for DRAM.
    """
    energy, latency = problem.goal.totals(cost.layers.energy_pj), problem.latency(design, cost)
    told = problem.caps.told(energy, latency)
    found = [name for name, cap, figures in told if bool((figures >= NEAR * cap).any())]
    parts = cost.layers.cycles_by_part
    waits = bool((parts[..., -1] >= parts.amax(-1)).any())
    return [*found, *([BANDWIDTH] if waits and problem.caps.dram_gbs < float("inf") else [])]


def part_names(accelerator: Accelerator) -> list[str]:
    """Return the names of a cost's parts: the arithmetic, then the levels outwards."""
    return [ARITHMETIC, *(level.name for level in accelerator.levels)]


def write_history(path: Path, state: SearchState, goal: Goal) -> None:
    """Write samples, seconds and the EDP [uJ*cycles] of the best design so far.

    Where something was proven of the objective, also the best ``value`` and the ``bound``, in the
    units of results; a bound of 0 is none yet.
    """
    rows = [
        (samples, f"{seconds:.3f}", repr(edp), *map(repr, map(goal.reported, proven)))
        for (samples, seconds, edp), proven in zip(state.history, state.bounds, strict=True)
    ]
    bounded = any(bound > 0 for _, bound in state.bounds)
    columns = BOUNDED_COLUMNS if bounded else HISTORY_COLUMNS
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(row[: len(columns)] for row in rows)
    write_text(path, text.getvalue())

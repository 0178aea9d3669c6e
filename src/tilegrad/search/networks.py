"""What each of several networks has of a design, and the price that it pays for sharing it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tilegrad.cost.network import NetworkCost
from tilegrad.files import write_text
from tilegrad.mapping import LoopNest
from tilegrad.search.objective import UJ_PER_PJ
from tilegrad.search.problem import SearchProblem


def networks_record(
    design: LoopNest, cost: NetworkCost, value: float, problem: SearchProblem
) -> dict[str, Any]:
    """Return the rule, its value, and each network's figures of a design ``[1, layer]``.

    Energy in uJ, latency in cycles, EDP in uJ*cycles, by the nest; ``price``: a network's objective
    as a multiple of that on hardware of its own, by the latency that was searched with.
    """
    several, goal = problem.workload.networks, problem.goal
    assert several is not None
    energy = goal.totals(cost.layers.energy_pj)
    cycles = goal.totals(cost.layers.cycles)[0].tolist()
    figures = goal.figures(energy, problem.latency(design, cost), cost.area_mm2)
    prices = (figures / goal.own)[0].tolist()
    networks = []
    for place, each in enumerate(several.members):
        microjoules, latency = float(energy[0, place]) * UJ_PER_PJ, int(cycles[place])
        told: dict[str, Any] = {
            "name": each.name,
            "weight": each.weight,
            "layers": each.layers,
            "edp": microjoules * latency,
            "energy_uj": microjoules,
            "cycles": latency,
        }
        if problem.own:
            told |= {"price": prices[place], "own": dict(problem.own[place].record)}
        networks.append(told)
    return {"rule": several.rule, "value": goal.reported(value), "networks": networks}


COLUMNS = ("network", "weight", "edp", "energy_uj", "cycles", "price", "own_edp", "own_gap")


def write_networks(path: Path, networks: Sequence[Mapping[str, Any]]) -> None:
    """Write a row for each network of ``networks_record``; what is not known stays empty."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for each in networks:
        own = each.get("own", {})
        told = [each["name"], *(each.get(name, "") for name in COLUMNS[1:6])]
        table.writerow([*told, own.get("edp", ""), own.get("gap", "")])
    write_text(path, text.getvalue())

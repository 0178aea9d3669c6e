"""Why a search under caps found no design: which cap is exceeded, and what was reached."""

from __future__ import annotations

import torch

from tilegrad.cost.hardware import mac_units
from tilegrad.cost.network import NetworkCost
from tilegrad.errors import InfeasibleError
from tilegrad.mapping import LoopNest
from tilegrad.search.caps import LATENCY, POWER, Caps
from tilegrad.search.problem import SearchProblem

UNITS = {LATENCY: "ms", POWER: "W"}


def least_capped(nests: LoopNest, cost: NetworkCost, problem: SearchProblem) -> dict[str, float]:
    """Return the least of each capped figure over designs ``[design, layer]`` that fit.

    Of several networks the largest counts. ``cost`` is theirs; empty where none fits.
    """
    energy, latency = problem.goal.totals(cost.layers.energy_pj), problem.latency(nests, cost)
    fits = problem.hardware.within(cost.hardware) & cost.fits.all(-1)
    found = {}
    for name, _, figures in problem.caps.told(energy, latency):
        worst = figures.amax(-1)[fits.expand(len(figures))]
        if len(worst):
            found[name] = float(worst.min())
    return found


def diagnosis(caps: Caps, least: dict[str, float], tried: int, proven: bool) -> str:
    """Return which caps no design kept to, and the least that one reached of each figure.

    ``tried`` is how many designs were; ``proven``: it holds of every design.
    """
    nothing = torch.zeros(())
    told = [(name, cap, least.get(name)) for name, cap, _ in caps.told(nothing, nothing + 1)]
    binding = [name for name, cap, reached in told if reached is not None and reached > cap]
    listed = "; ".join(
        f"caps.{name} = {cap:g} {UNITS[name]}, "
        + ("no design tried fits" if reached is None else f"the least found is {reached:.4g}")
        for name, cap, reached in told
    )
    if binding and proven:
        return f"{listed}: it is caps.{' and caps.'.join(binding)} that no design keeps to"
    if binding:
        names = " or caps.".join(binding)
        return f"{listed}: none of the {tried:,} designs tried keeps to caps.{names}"
    none = "none" if proven else f"none of the {tried:,} tried"
    return f"{listed}: designs keep to each of them, {none} to both"


def check_reachable(problem: SearchProblem) -> None:
    """Refuse a cap on latency below what the widest array allowed takes if it never idles."""
    if problem.caps.cycles == torch.inf or problem.learned is not None:
        return
    widest = {**problem.hardware.fixed, **problem.meshes[0]}
    units = float(torch.as_tensor(mac_units(problem.accelerator, widest)))
    macs = torch.tensor([float(layer.macs) for layer in problem.workload], dtype=torch.float64)
    least = float(problem.goal.totals(macs / units).max())
    if least > problem.caps.cycles:
        _, cap, reached = next(problem.caps.told(torch.zeros(()), torch.tensor(least)))
        raise InfeasibleError(
            f"caps.{LATENCY} = {cap:g} is below what the largest array allowed ({units:,.0f} PEs) "
            f"takes where none of it ever idles: {float(reached):.4g} ms"
        )

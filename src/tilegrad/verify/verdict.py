"""The whole check of a run: its design, its certificate's arithmetic, cover and bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from math import inf
from pathlib import Path
from random import Random

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.limited import with_bandwidth
from tilegrad.errors import DataError
from tilegrad.record import RESULT, Result, read_result
from tilegrad.verify.bounds import check_arithmetic
from tilegrad.verify.certificate import CERTIFICATE, Cell, Certificate, read_certificate
from tilegrad.verify.cover import check_meshes, widths
from tilegrad.verify.design import Recomputed, networks_of, recompute
from tilegrad.verify.goal import POWERS, Goal
from tilegrad.verify.header import check_header, check_networks, own_figures
from tilegrad.verify.layers import EveryMapping, check_given, check_layers
from tilegrad.verify.rows import Machine
from tilegrad.verify.searched import Observer, Searched, spoken, unobserved
from tilegrad.workload import Problem, Workload

CLOSE = 1e-9

REST = {
    "cells": "the sums of all",
    "layers": "the sums of all, and the other layers' bounds held against the design alone",
}
"""What is checked of the parts that are not recomputed."""


@dataclass(frozen=True)
class Verdict:
    """What holds of a run: ``checked`` of ``cells`` recomputed; ``gap`` None: nothing is proven.

    ``parts``: what is counted so, cells of the hardware or, where that is given, layers.
    ``stated``: the gap that a run without a certificate states. ``later``: about how many seconds
    all parts would take, where fewer were taken for that.
    """

    gap: float | None
    checked: int
    cells: int
    parts: str = "cells"
    stated: float | None = None
    later: float = 0.0

    def __str__(self) -> str:
        if self.gap is None:
            told = "" if self.stated is None else f", though it states {100 * self.stated:.3g} %"
            return (
                "the design is what its record says; no certificate: nothing is proven of its gap"
                f"{told}"
            )
        if self.checked == self.cells:
            gap = 100 * self.gap
            return f"proven: at most {gap:.3g} % above the optimum ({self.cells} {self.parts})"
        more = f"; all of them, by --all, take {spoken(self.later)}" if self.later else ""
        return (
            f"gap <= {100 * self.gap:.3g} %: {self.checked} of {self.cells} {self.parts} "
            f"recomputed, {REST[self.parts]}{more}"
        )


def verify(
    directory: Path,
    sample: int | None = None,
    seed: int = 0,
    most: float = inf,
    observe: Observer = unobserved,
) -> Verdict:
    """Check a run; ``DataError`` says what is wrong.

    ``sample``: how many cells to recompute, drawn by ``seed`` (None: all, and the whole cover, or
    where that takes more than ``most`` seconds as many as these are enough for, one at least).
    ``observe`` is called with how much is done [seconds], of how much, and what of.
    """
    result, certificate = read_result(directory), read_certificate(directory)
    # Changed files are told apart first: all that follows takes time.
    if certificate is not None:
        _check_result(certificate, directory)
    config = _config(directory)
    described: Accelerator = instantiate(config.accelerator)
    accelerator = with_bandwidth(described, config.get("caps"))
    workload = _workload(result, config)
    design = recompute(result, accelerator)
    goal = _goal(result, config, workload, accelerator)
    check_networks(result, design, goal)
    if certificate is None:
        _check_stated(result)
        return Verdict(None, 0, 0, stated=None if result.gap is None else float(result.gap))
    check_header(certificate, result, config, design, goal)
    fixed = {name: float(v) for name, v in certificate.mapspace.fixed.items()}
    machine = Machine(accelerator, fixed)
    networks = networks_of(result)
    for place, cell in enumerate(certificate.cells):
        _check_ends(cell, place, accelerator)
        check_arithmetic(cell, place, goal, machine, networks)
    bounds = [cell.bound for cell in certificate.cells if cell.bound is not None]
    if certificate.bound > min([*bounds, certificate.value]) * (1 + CLOSE):
        raise DataError(f"bound is {certificate.bound!r}, the least of the cells {min(bounds)!r}")
    layers = [layer.problem for layer in result.layers]
    if certificate.mapspace.orders == "all":
        checked = _by_layer(certificate, machine, layers, networks, design, sample, seed)
        return Verdict(certificate.gap, checked, len(layers), "layers")
    caps = certificate.mapspace.caps
    choices = widths(machine, layers, caps)
    check_meshes(certificate.cells, choices)
    searched = Searched(machine, layers, networks, goal, caps)
    plan = searched.plan(certificate.cells, list(choices), sample, seed, most)
    searched.recompute(certificate.cells, list(choices), plan, observe)
    later = plan.all_seconds if sample is None and plan.seconds < plan.all_seconds else 0.0
    return Verdict(certificate.gap, len(plan.picked), len(certificate.cells), later=later)


def _by_layer(
    certificate: Certificate,
    machine: Machine,
    layers: Sequence[Problem],
    networks: Sequence[range],
    design: Recomputed,
    sample: int | None,
    seed: int,
) -> int:
    """Check the bounds of hardware without free sizes; return of how many layers all mappings."""
    if len(certificate.cells) != 1:
        raise DataError(f"cells: has {len(certificate.cells)}, of hardware without free sizes")
    every = [EveryMapping(machine.accelerator, layer, machine.fixed) for layer in layers]
    places = range(len(layers))
    picked = places if sample is None else Random(seed).sample(places, min(sample, len(places)))
    check_given(certificate.cells[0], machine.fixed)
    return check_layers(certificate.cells[0], design.counts, every, networks, picked)


def _config(directory: Path) -> DictConfig:
    path = directory / "config.yaml"
    if not path.exists():
        raise DataError(f"{path}: is missing; it says what was searched")
    found = OmegaConf.load(path)
    assert isinstance(found, DictConfig)
    return found


def _workload(result: Result, config: DictConfig) -> Workload:
    workload: Workload = instantiate(config.workload)
    if tuple(layer.problem for layer in result.layers) != workload.layers:
        raise DataError("layers are not those of the workload in config.yaml")
    return workload


def _goal(result: Result, config: DictConfig, workload: Workload, accelerator: Accelerator) -> Goal:
    """Return what was minimised, by the config; own figures of networks are those of the record."""
    caps = {k: float(v) for k, v in (config.get("caps") or {}).items() if v is not None}
    several = workload.networks
    members = () if several is None else several.members
    if len(members) != len(result.networks):
        raise DataError(f"networks are {len(result.networks)}, config.yaml has {len(members)}")
    weights = [each.weight for each in members] or [1.0]
    rule = None if several is None else several.rule
    goal = Goal.of(config.objective, caps, accelerator, rule, weights, [1.0] * len(weights))
    return replace(goal, own=own_figures(result, goal))


def _check_result(certificate: Certificate, directory: Path) -> None:
    if sha256((directory / RESULT).read_bytes()).hexdigest() != certificate.result:
        raise DataError(f"{directory / RESULT} is not the one that {CERTIFICATE} is of")


def _check_stated(result: Result) -> None:
    """Refuse a gap that is not that of the bound beside it."""
    if result.gap is None or result.bound is None or result.networks:
        return
    a, b, c = POWERS[result.objective]
    value = float(result.energy_uj) ** a * float(result.cycles) ** b * float(result.area_mm2) ** c
    made = value / float(result.bound) if result.bound else float("inf")
    if not abs(1 + float(result.gap) - made) <= CLOSE * made:
        raise DataError(f"gap is {result.gap!r}; the design and its bound make {made - 1!r}")


def _check_ends(cell: Cell, place: int, accelerator: Accelerator) -> None:
    if set(cell.ends) != set(accelerator.parameters):
        raise DataError(f"cells.{place}.ends are of other parameters than the accelerator's")

"""Gemmini's published measurements as they were run, where the table does not say it.

The table's ``arch.*`` are sizes that mappings were sampled for. What ran follows from the scripts
that made the programs (gemmini-rocc-tests, branch dosa, gemmini-data-collection: ``per_pe_dim`` and
``conv_tilings.c``), and the cycles bear it out: with these rules, no row but those of the wrong
kind is faster than its array can compute, and hundreds are within 0.1 % of that bound.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from tilegrad.machines.gemmini.calls import is_line_of_pixels
from tilegrad.machines.gemmini.template import array_side
from tilegrad.mapping import LoopNest
from tilegrad.schedules.catalogue import machine_names
from tilegrad.schedules.identity import group
from tilegrad.schedules.schedules import PUBLISHED, Finding, Schedules
from tilegrad.shape.conv import P, Q


def gemmini_as_run(schedules: Schedules) -> Schedules:
    """Return the schedules with the arrays, the layers and the programs that were measured.

    - Each mapping ran on the smallest array, a power of two wide, that holds its spatial factors.
    - Convolutions ran on square images: where P and Q differ, Q was P's size, in as many more
      iterations of DRAM's loop.
    - The programs are ``PUBLISHED``: ``tilegrad.machines.gemmini.tiling`` says how they differ.
    """
    return replace(_on_smallest_arrays(_as_squares(schedules)), programs=PUBLISHED)


def _on_smallest_arrays(schedules: Schedules) -> Schedules:
    factors = schedules.nests.spatial.flatten(1).amax(1)
    hardware = {**schedules.hardware, "pe_dim": array_side(factors)}
    machine, first = group(torch.stack(list(hardware.values()), 1))
    sizes = {name: values[first] for name, values in hardware.items()}
    names = machine_names(schedules.accelerator, sizes, len(first))
    return replace(schedules, hardware=hardware, machine=machine, machine_names=names)


def _as_squares(schedules: Schedules) -> Schedules:
    bounds = schedules.bounds.clone()
    oblong = (bounds[:, P] != bounds[:, Q]) & ~is_line_of_pixels(bounds, schedules.strides)
    if not oblong.any():
        return schedules
    temporal = schedules.nests.temporal.clone()
    temporal[oblong, -1, Q] *= bounds[oblong, P] / bounds[oblong, Q]
    bounds[oblong, Q] = bounds[oblong, P]
    nests = LoopNest(temporal, schedules.nests.spatial, schedules.nests.order)
    first = schedules.layer_names[int(schedules.layer[oblong][0])]
    finding = Finding(
        "a layer that is not square, measured as one of P x P", int(oblong.sum()), first
    )
    return replace(schedules, nests=nests, bounds=bounds).noting(finding)

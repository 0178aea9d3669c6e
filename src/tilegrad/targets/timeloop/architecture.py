"""Accelerators as Timeloop architectures: trees of version 0.3, nodes of version 0.4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from tilegrad.accelerator import AXES, Accelerator, Level
from tilegrad.accelerator.accelerator import KINDS
from tilegrad.targets.timeloop.nests import fanout_name
from tilegrad.targets.timeloop.tagged import Tagged

CLASSES = dict(zip(KINDS, ("regfile", "SRAM", "DRAM"), strict=True))
MAC = "MACC"
UM2_PER_MM2 = 1e6

Hardware = Mapping[str, float]


@dataclass(frozen=True)
class Place:
    """Where a level lies: its path of 0.3 names, all its instances and how many along X."""

    path: str
    instances: int
    mesh_x: int


def architecture(accelerator: Accelerator, hardware: Hardware, dialect: str) -> dict[str, Any]:
    """Return the document of an accelerator whose parameters have the values ``hardware``."""
    if dialect == "0.3":
        return {"architecture": {"version": 0.3, "subtree": [_tree(accelerator, hardware)]}}
    return {"architecture": {"version": "0.4", "nodes": _nodes(accelerator, hardware)}}


def places(accelerator: Accelerator, hardware: Hardware) -> list[Place]:
    """Return the place of every level, innermost first, after that of the MAC units."""
    path, widths, found = "system", [1, 1], []
    for level in reversed(accelerator.levels):
        found.append(Place(f"{path}.{level.name}", prod(widths), widths[0]))
        spread = mesh(level, hardware)
        if prod(spread) > 1:
            path = f"{path}.{_branch(level, spread)}"
        widths = [wide * factor for wide, factor in zip(widths, spread, strict=True)]
    found.append(Place(f"{path}.{MAC}", prod(widths), widths[0]))
    return found[::-1]


def mesh(level: Level, hardware: Hardware) -> list[int]:
    """Return the instances below one instance of a level, along X and Y."""
    return [int(level.fanout[axis].width(hardware)) if axis in level.fanout else 1 for axis in AXES]


def _branch(level: Level, spread: list[int]) -> str:
    return f"{fanout_name(level)}[0..{prod(spread) - 1}]"


def _tree(accelerator: Accelerator, hardware: Hardware) -> dict[str, Any]:
    mac, *level_places = places(accelerator, hardware)
    inside: dict[str, Any] = {"local": [_mac(accelerator, mac)]}
    for level, place in zip(accelerator.levels, level_places, strict=True):
        spread = mesh(level, hardware)
        if prod(spread) > 1:
            inside = {"local": [], "subtree": [{"name": _branch(level, spread), **inside}]}
        attributes = _storage(level, hardware, accelerator, "-")
        attributes |= {"instances": place.instances, "meshX": place.mesh_x}
        entry = {"name": level.name, "class": CLASSES[level.kind], "attributes": attributes}
        inside["local"] = [entry, *inside["local"]]
    return {"name": "system", "attributes": {"technology": "40nm"}, **inside}


def _mac(accelerator: Accelerator, place: Place) -> dict[str, Any]:
    bits = accelerator.levels[0].word_bits
    attributes = {
        "datawidth": bits,
        "word-bits": bits,
        "instances": place.instances,
        "meshX": place.mesh_x,
    }
    return {"name": MAC, "class": "intmac", "attributes": attributes}


def _nodes(accelerator: Accelerator, hardware: Hardware) -> list[Tagged]:
    system = {"name": "system", "attributes": {"technology": "40nm"}}
    nodes = [Tagged("!Container", system)]
    for level in reversed(accelerator.levels):
        attributes = _storage(level, hardware, accelerator, "_")
        attributes["datawidth"] = attributes.pop("word_bits")
        kept = {"keep": list(level.keeps), "bypass": [t for t in _ALL if t not in level.keeps]}
        node = {"name": level.name, "class": CLASSES[level.kind], "attributes": attributes}
        nodes.append(Tagged("!Component", {**node, "constraints": {"dataspace": kept}}))
        spread = mesh(level, hardware)
        if level.fanout:
            shape = {f"mesh{axis}": count for axis, count in zip(AXES, spread, strict=True)}
            nodes.append(Tagged("!Container", {"name": fanout_name(level), "spatial": shape}))
    bits = accelerator.levels[0].word_bits
    mac = {"name": MAC, "class": "intmac", "attributes": {"datawidth": bits}}
    return [*nodes, Tagged("!Component", mac)]


_ALL = ("Weights", "Inputs", "Outputs")


def _storage(
    level: Level, hardware: Hardware, accelerator: Accelerator, dash: str
) -> dict[str, Any]:
    block = int(level.block(hardware))
    attributes: dict[str, Any] = {
        f"word{dash}bits": level.word_bits,
        "width": block * level.word_bits * level.cluster,
        f"block{dash}size": block,
        f"cluster{dash}size": level.cluster,
    }
    words = capacity_words(accelerator, level, hardware)
    if words is not None:
        attributes |= {"entries": words, "depth": max(1, words // block)}
    if level.buffers > 1:
        attributes["multiple_buffering"] = level.buffers
    for port, width in level.bandwidth.items():
        attributes[f"{port}_bandwidth"] = float(width(hardware))
    return attributes


def capacity_words(accelerator: Accelerator, level: Level, hardware: Hardware) -> int | None:
    """Return the words of one instance, all its buffers counted; None where unlimited."""
    size = float(accelerator.instance_kb(level, hardware))
    return int(size * 1024 / level.bytes_per_word) if size else None


def energy_tables(accelerator: Accelerator, hardware: Hardware) -> dict[str, dict[str, Any]]:
    """Return the ERT and ART documents of version 0.3: pJ per block, um2 per instance."""
    mac, *level_places = places(accelerator, hardware)
    unit = accelerator.arithmetic
    energies = [_energies(mac.path, {"mac_random": unit.energy_pj})]
    areas = [{"name": mac.path, "area": unit.area_mm2 * UM2_PER_MM2}]
    for level, place in zip(accelerator.levels, level_places, strict=True):
        block = float(level.block(hardware))
        pj = {k: float(v) * block for k, v in accelerator.access_pj(level, hardware).items()}
        actions = {"read": pj["reads"], "write": pj["fills"], "update": pj["updates"]}
        energies.append(_energies(place.path, actions))
        area = accelerator.area_mm2(level, hardware)
        um2 = 0.0 if area is None else float(area) * UM2_PER_MM2
        areas.append({"name": place.path, "area": um2})
    return {
        "ERT": {"ERT": {"version": 0.3, "tables": energies}},
        "ART": {"ART": {"version": 0.3, "tables": areas}},
    }


def _energies(path: str, actions: dict[str, float]) -> dict[str, Any]:
    return {"name": path, "actions": [_action(n, pj) for n, pj in actions.items()]}


def _action(name: str, energy: float) -> dict[str, Any]:
    return {"name": name, "arguments": None, "energy": energy}

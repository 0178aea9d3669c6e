"""Timeloop architectures, problems and mappings as this project's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from tilegrad.accelerator import AXES, Accelerator, build_accelerator
from tilegrad.errors import AcceleratorError, MappingError, unknown
from tilegrad.mapping import format_shorthand
from tilegrad.mapping.loopnest import LoopNest
from tilegrad.shape import ROLES
from tilegrad.shape.conv import CONV
from tilegrad.targets.timeloop.components import Component, components
from tilegrad.targets.timeloop.names import Names
from tilegrad.targets.timeloop.nests import checked, read_directives
from tilegrad.targets.timeloop.tagged import read_yaml
from tilegrad.workload import read_timeloop_problem, write_layer_table
from tilegrad.workload.timeloop_yaml import timeloop_names

UNUSED = ("technology", "type", "n_banks", "num-banks", "n_rdwr_ports", "num-ports", "n_ports")
"""Attributes that say nothing about counts, sizes or time."""

_NAMES: dict[str, tuple[str, ...]] = {
    "word_bits": ("word-bits", "word_bits", "datawidth", "word_width"),
    "block": ("block-size", "block_size", "n_words"),
    "cluster": ("cluster-size", "cluster_size"),
    "entries": ("entries",),
    "depth": ("depth", "memory_depth"),
    "width": ("width", "memory_width"),
    "size_kb": ("sizeKB",),
    "buffers": ("multiple_buffering",),
    "read": ("read_bandwidth",),
    "write": ("write_bandwidth",),
    "shared": ("shared_bandwidth", "bandwidth"),
}


@dataclass
class Attributes:
    """A component's numbers under this project's names, and what is left over."""

    place: str
    values: dict[str, float] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, component: Component, where: str) -> Attributes:
        """Read the known attributes; a known one that is not a positive number is refused."""
        read = cls(f"{where}: {component.name}")
        known = {written: name for name, names in _NAMES.items() for written in names}
        for written, value in component.attributes.items():
            if written in known:
                read.values[known[written]] = read._positive(written, value)
            elif written not in UNUSED:
                read.ignored.append(f"{component.name}: attribute {written}={value!r}")
        return read

    def _positive(self, name: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise AcceleratorError(f"{self.place}: {name} is {value!r}; legal: a number > 0")
        return float(value)

    def whole(self, name: str, default: int) -> int:
        """Return an integer."""
        return int(self.values.get(name, default))

    @property
    def block(self) -> int:
        """Words of one access: given, or what the width holds for each of a cluster."""
        lanes = self.whole("word_bits", 8) * self.whole("cluster", 1)
        return self.whole("block", max(1, self.whole("width", lanes) // lanes))

    @property
    def capacity(self) -> int | None:
        """Words that one instance can use; None where unlimited."""
        if "entries" in self.values:
            words = self.values["entries"]
        elif "depth" in self.values:
            words = self.values["depth"] * self.block
        elif "size_kb" in self.values:
            words = self.values["size_kb"] * 1024 * 8 / self.whole("word_bits", 8)
        else:
            return None
        return max(1, int(words // self.values.get("buffers", 1)))


def read_architecture(
    path: Path, keeps: Mapping[str, Sequence[str]], names: Names | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Return the description of the accelerator, and what it cannot represent.

    ``keeps`` (level name to tensors) overrides what the file itself says, which calls tensors by
    ``names``; a level of which neither speaks keeps all tensors. Raises ``AcceleratorError``
    naming file, component and value.
    """
    *storage, mac = components(read_yaml(path), str(path))
    if names is not None:
        storage = [_named(component, names) for component in storage]
    ignored: list[str] = []
    levels = []
    for component, inner in zip(storage, [*storage[1:], mac], strict=True):
        attributes = Attributes.read(component, str(path))
        ignored += attributes.ignored
        levels.append(_level(component, inner, attributes, keeps))
    for name in sorted(set(keeps) - {component.name for component in storage}):
        raise AcceleratorError(unknown("level", name, [c.name for c in storage], str(path)))
    description = {
        "name": path.stem,
        "counting": "timeloop",
        "energy": "pat",
        "arithmetic": {"energy_pj": 1.0},
        "parameters": {},
        "levels": levels[::-1],
    }
    return description, ignored


def _level(
    component: Component,
    inner: Component,
    attributes: Attributes,
    keeps: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    dram = component.kind.upper() == "DRAM"
    level: dict[str, Any] = {
        "name": component.name,
        "kind": "dram" if dram else "regfile" if "reg" in component.kind.lower() else "sram",
        "keeps": list(keeps.get(component.name, _own_keeps(component))),
        "loops": "all",
        "word_bits": attributes.whole("word_bits", 8),
        "block": attributes.block,
        "instances": component.mesh[0] * component.mesh[1],
        "cluster": attributes.whole("cluster", 1),
        "buffers": attributes.whole("buffers", 1),
        "fanout": _fanout(component, inner, attributes.place),
        "bandwidth": {
            port: attributes.values[port]
            for port in ("read", "write", "shared")
            if port in attributes.values
        },
    }
    if attributes.capacity is not None and not dram:
        level["capacity_words"] = attributes.capacity
    return level


def _named(component: Component, names: Names) -> Component:
    keep = None if component.keep is None else tuple(names.roles(component.keep))
    return replace(component, keep=keep, bypass=tuple(names.roles(component.bypass)))


def _own_keeps(component: Component) -> list[str]:
    if component.keep is not None and "dummy" not in component.kind:
        return [tensor for tensor in ROLES if tensor in component.keep]
    return [tensor for tensor in ROLES if tensor not in component.bypass]


def _fanout(outer: Component, inner: Component, place: str) -> dict[str, Any]:
    fanout = {}
    for axis, above, below in zip(AXES, outer.mesh, inner.mesh, strict=True):
        if below % above:
            raise AcceleratorError(
                f"{place} has {above} instances along {axis}, {inner.name} inside it {below}; "
                f"legal: a multiple of {above}"
            )
        if below > above:
            fanout[axis] = {"dims": "all", "width": below // above}
    return fanout


def read_keeps(
    directives: Sequence[object], where: str, names: Names | None = None
) -> dict[str, list[str]]:
    """Return the tensors that a mapping keeps at each level it speaks of."""
    names = names or Names.of(CONV)
    found = {}
    for directive, _ in checked(directives, where):
        if directive["type"] in ("bypass", "dataspace", "datatype"):
            bypass = names.roles(directive.get("bypass") or [])
            kept = directive.get("keep")
            keep = None if kept is None else names.roles(kept)
            tensors = [t for t in ROLES if (t in keep if keep is not None else t not in bypass)]
            found[str(directive["target"])] = tensors
    return found


def mapping_list(path: Path) -> list[object]:
    """Return the directives of a mapping file."""
    document = read_yaml(path)
    directives = document.get("mapping") if isinstance(document, Mapping) else None
    if not isinstance(directives, list):
        raise MappingError(f"{path}: not a Timeloop mapping (legal: a list under 'mapping')")
    return directives


def read_mapping(
    path: Path, accelerator: Accelerator, renamed: Mapping[str, str], names: Names | None = None
) -> LoopNest:
    """Return the mapping of a file; ``renamed`` gives this project's names of its targets."""
    directives = [
        {**item, "target": renamed.get(str(item.get("target")), item.get("target"))}
        if isinstance(item, Mapping)
        else item
        for item in mapping_list(path)
    ]
    return read_directives(directives, accelerator, str(path), names)


def spatial_targets(path: Path) -> dict[str, str]:
    """Return for each 0.4 node that spreads loops the name used for it here."""
    *storage, mac = components(read_yaml(path), str(path))
    pairs = zip(storage, [*storage[1:], mac], strict=True)
    return {node: f"{outer.name}_fanout" for outer, inner in pairs for node in inner.spread_by}


def import_files(
    architecture: Path, problem: Path | None, mapping: Path | None, out: Path
) -> list[str]:
    """Write accelerator.yaml and, where given, layer.csv and mapping.txt under ``out``.

    A shape that is not packaged has a file beside layer.csv. Returns what could not be represented.
    Raises ``TilegradError`` subclasses naming the file.
    """
    layer = None if problem is None else read_timeloop_problem(problem)
    shape = CONV if layer is None else layer.shape
    names = Names.of(shape, None if problem is None else timeloop_names(problem))
    keeps = {} if mapping is None else read_keeps(mapping_list(mapping), str(mapping), names)
    description, ignored = read_architecture(architecture, keeps, names)
    there = build_accelerator(**description).running(shape)
    text = None
    if mapping is not None:
        nest = read_mapping(mapping, there, spatial_targets(architecture), names)
        text = format_shorthand(nest, there)
    out.mkdir(parents=True, exist_ok=True)
    target = {"_target_": "tilegrad.accelerator.build_accelerator", **description}
    written = {"accelerator": target, "hardware": {}, "caps": {"area_mm2": None}}
    body = yaml.safe_dump(written, sort_keys=False, default_flow_style=None, width=100)
    (out / "accelerator.yaml").write_text("# @package _global_\n" + body, encoding="utf-8")
    if layer is not None:
        write_layer_table(layer, out / "layer.csv")
    if text is not None:
        (out / "mapping.txt").write_text(text + "\n", encoding="utf-8")
    return ignored

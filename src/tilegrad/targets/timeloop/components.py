"""Timeloop architectures taken apart: the storage levels from the outermost in, and the MACs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tilegrad.errors import AcceleratorError, unknown
from tilegrad.targets.timeloop.tagged import Tagged

VERSIONS = ("0.2", "0.3", "0.4")
TAGS = ("!Container", "!Component", "!Parallel", "!Hierarchical", "!Nothing")
_RANGE = re.compile(r"\[(\d+)\.\.(\d+)\]\s*$")


@dataclass(frozen=True)
class Component:
    """One storage level or the MAC unit: ``mesh`` counts all its instances along X and Y.

    ``spread_by`` names the nodes whose spatial loops lie directly outside it (0.4 only).
    """

    name: str
    kind: str
    attributes: Mapping[str, Any]
    mesh: tuple[int, int]
    keep: tuple[str, ...] | None = None
    bypass: tuple[str, ...] = ()
    spread_by: tuple[str, ...] = ()


@dataclass
class _Walk:
    """What the walk over the description collects."""

    where: str
    found: list[Component] = field(default_factory=list)


def components(document: object, where: str) -> list[Component]:
    """Return the components of an architecture document, outermost first, the MAC unit last.

    Raises ``AcceleratorError`` naming what cannot be read and what is legal.
    """
    body = document.get("architecture") if isinstance(document, Mapping) else None
    if not isinstance(body, Mapping):
        raise AcceleratorError(f"{where}: not a Timeloop architecture (legal: 'architecture:')")
    version = str(body.get("version"))
    if version not in VERSIONS:
        raise AcceleratorError(unknown("architecture version", version, VERSIONS, where))
    if "nodes" in body:
        found = _nodes(body["nodes"], where)
    elif "subtree" in body:
        walk = _Walk(where)
        for tree in body["subtree"]:
            _tree(tree, 1, walk)
        found = walk.found
    else:
        raise AcceleratorError(f"{where}: the architecture has neither 'nodes' nor 'subtree'")
    return _checked(found, where)


def _checked(found: list[Component], where: str) -> list[Component]:
    units = [component for component in found if is_arithmetic(component)]
    if len(units) != 1 or found[-1] is not units[0]:
        names = ", ".join(component.name for component in found)
        raise AcceleratorError(
            f"{where}: found {len(units)} arithmetic components in [{names}]; "
            "legal: one, the innermost, of a class such as intmac"
        )
    if len(found) < 3:
        raise AcceleratorError(f"{where}: found fewer than two storage levels")
    return found


def is_arithmetic(component: Component) -> bool:
    """Return whether a component computes."""
    return "mac" in component.kind.lower() or component.kind.lower() == "compute"


def is_network(kind: str) -> bool:
    """Return whether a component of this class only moves words."""
    return any(word in kind.lower() for word in ("network", "legacy", "wire", "noc"))


def _tree(tree: object, above: int, walk: _Walk) -> None:
    """Walk a 0.3 tree: its local components, then its subtrees, each inside the one before."""
    if not isinstance(tree, Mapping):
        raise AcceleratorError(f"{walk.where}: subtree {tree!r} is not a mapping")
    count = above * _count(str(tree.get("name", "")))
    for item in tree.get("local") or []:
        walk.found += _local(item, count, walk)
    branches = tree.get("subtree") or []
    if len(branches) > 1:
        raise AcceleratorError(
            f"{walk.where}: {tree.get('name')} has {len(branches)} subtrees; legal: one, inside it"
        )
    for branch in branches:
        _tree(branch, count, walk)


def _local(item: object, count: int, walk: _Walk) -> list[Component]:
    if not isinstance(item, Mapping) or "class" not in item:
        raise AcceleratorError(f"{walk.where}: {item!r} is not a component (legal: name, class)")
    if is_network(str(item["class"])):
        return []
    attributes = dict(item.get("attributes") or {})
    written = str(item["name"])
    instances = attributes.pop("instances", count * _count(written))
    if not isinstance(instances, int) or instances < 1:
        raise AcceleratorError(f"{walk.where}: {written}: instances is {instances!r}; legal: >= 1")
    across = attributes.pop("meshX", instances)
    if not isinstance(across, int) or across < 1 or instances % across:
        raise AcceleratorError(
            f"{walk.where}: {written}: meshX is {across!r}; legal: a divisor of {instances}"
        )
    name = _RANGE.sub("", written).strip()
    return [Component(name, str(item["class"]), attributes, (across, instances // across))]


def _count(name: str) -> int:
    match = _RANGE.search(name)
    return int(match[2]) - int(match[1]) + 1 if match else 1


def _nodes(nodes: object, where: str) -> list[Component]:
    """Read 0.4 nodes: each is inside those before it; parallel ones follow one another."""
    found: list[Component] = []
    mesh = (1, 1)
    outside: tuple[str, ...] = ()
    for node in _flat(nodes, where):
        fields = node.fields
        spatial = fields.get("spatial") or {}
        sizes = [spatial.get(axis, 1) for axis in ("meshX", "meshY")]
        if not all(isinstance(size, int) and size >= 1 for size in sizes):
            raise AcceleratorError(
                f"{where}: {fields.get('name')}: mesh is {sizes!r}; legal: integers >= 1"
            )
        mesh = (mesh[0] * sizes[0], mesh[1] * sizes[1])
        if sizes != [1, 1]:
            outside = (*outside, str(fields.get("name")))
        kind = str(fields.get("class") or fields.get("subclass") or "")
        if node.tag == "!Component" and not is_network(kind):
            found.append(_component(fields, kind, mesh, outside))
            outside = ()
    return found


def _component(
    fields: Mapping[str, Any], kind: str, mesh: tuple[int, int], outside: tuple[str, ...]
) -> Component:
    kept = (fields.get("constraints") or {}).get("dataspace") or {}
    keep = kept.get("keep", kept.get("keep_only"))
    return Component(
        str(fields.get("name")),
        kind,
        fields.get("attributes") or {},
        mesh,
        None if keep is None else tuple(keep),
        tuple(kept.get("bypass") or ()),
        outside,
    )


def _flat(nodes: object, where: str) -> Iterator[Tagged]:
    if not isinstance(nodes, Sequence) or isinstance(nodes, str):
        raise AcceleratorError(f"{where}: nodes is {nodes!r}; legal: a list")
    for node in nodes:
        if not isinstance(node, Tagged) or node.tag not in TAGS:
            tag = node.tag if isinstance(node, Tagged) else node
            raise AcceleratorError(unknown("node", tag, TAGS, where))
        if "nodes" in node.fields:
            yield from _flat(node.fields["nodes"], where)
        else:
            yield node

"""Mappings as Timeloop directives, and back: one temporal and one spatial directive per level.

Timeloop writes permutations from the innermost loop outwards; the first ``split`` dims of a
spatial one lie along X, the rest along Y. Version 0.3 writes texts (``C=4 K=2``), 0.4 lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator, Level
from tilegrad.errors import MappingError, unknown
from tilegrad.mapping import LoopNest, unit_mapping
from tilegrad.shape import ROLES
from tilegrad.targets.timeloop.names import Names, dim_letters

Directive = dict[str, Any]
TYPES = ("temporal", "spatial", "bypass", "dataspace", "datatype")
DIALECTS = ("0.3", "0.4")


def fanout_name(level: Level) -> str:
    """Return the name of the node below a level over which its loops are spread (0.4)."""
    return f"{level.name}_fanout"


def mapping_directives(
    mapping: LoopNest, accelerator: Accelerator, dialect: str
) -> list[Directive]:
    """Return the directives of one integer mapping ``[level, dim]``, outermost level first.

    The mapping is of a layer of the accelerator's shape. Raises ``MappingError`` where one level
    spreads a dim along both axes, which Timeloop cannot.
    """
    directives = []
    letters = list(dim_letters(accelerator.shape).values())
    for index in reversed(range(len(accelerator.levels))):
        level = accelerator.levels[index]
        directives.append(_kept(level, dialect))
        order = [letters[dim] for dim in mapping.order[index].tolist()]
        factors = dict(zip(letters, mapping.temporal[index].tolist(), strict=True))
        directives.append(
            {"target": level.name, "type": "temporal"} | _loops(factors, order[::-1], dialect)
        )
        if level.fanout or bool((mapping.spatial[index] > 1).any()):
            target = level.name if dialect == "0.3" else fanout_name(level)
            directives.append(
                {"target": target, "type": "spatial"}
                | _spread(mapping.spatial[index], level, letters, dialect)
            )
    return directives


def _kept(level: Level, dialect: str) -> Directive:
    return {
        "target": level.name,
        "type": "bypass" if dialect == "0.3" else "dataspace",
        "keep": [tensor for tensor in ROLES if tensor in level.keeps],
        "bypass": [tensor for tensor in ROLES if tensor not in level.keeps],
    }


def _loops(factors: Mapping[str, float], innermost_first: Sequence[str], dialect: str) -> Directive:
    texts = [f"{dim}={int(factor)}" for dim, factor in factors.items()]
    if dialect == "0.3":
        return {"factors": " ".join(texts), "permutation": "".join(innermost_first)}
    return {"factors": texts, "permutation": list(innermost_first)}


def _spread(spatial: Tensor, level: Level, letters: Sequence[str], dialect: str) -> Directive:
    along = [
        [dim for dim, f in zip(letters, axis, strict=True) if f > 1] for axis in spatial.tolist()
    ]
    both = sorted(set(along[0]) & set(along[1]))
    if both:
        raise MappingError(
            f"{level.name} spreads {both[0]} along X and Y; legal in Timeloop: along one of them"
        )
    rest = [dim for dim in letters if dim not in along[0] + along[1]]
    # Absent dims go where the mesh is, so that a mesh without Y has no loop there.
    x, y = (along[0], along[1] + rest) if along[1] else (along[0] + rest, [])
    loops = _loops(dict(zip(letters, spatial.prod(0).tolist(), strict=True)), x + y, dialect)
    return {**loops, "split": len(x)}


def read_directives(
    directives: Sequence[object],
    accelerator: Accelerator,
    where: str,
    names: Names | None = None,
) -> LoopNest:
    """Return the mapping ``[level, dim]`` that directives write, of version 0.3 or 0.4.

    It is one of a layer of the accelerator's shape; ``names`` are those of its problem file.
    Raises ``MappingError`` naming the directive, the value and what is legal.
    """
    dims = accelerator.shape.dims
    names = names or Names.of(accelerator.shape)
    read = DimReader(dims, names.dims)
    mapping = unit_mapping(len(accelerator.levels), count=len(dims))
    targets = _targets(accelerator)
    for directive, place in checked(directives, where):
        if directive["target"] not in targets:
            raise MappingError(unknown("target", directive["target"], targets, place))
        level = targets[str(directive["target"])]
        if directive["type"] == "temporal":
            mapping.temporal[level] = torch.tensor(read.factors(directive.get("factors"), place))
            inner_first = read.permutation(directive.get("permutation"), place)
            mapping.order[level] = torch.tensor(inner_first[::-1])
        elif directive["type"] == "spatial":
            mapping.spatial[level] = _read_spread(directive, read, place)
        else:
            _check_kept(directive, accelerator.levels[level], names, place)
    return mapping


def checked(directives: Sequence[object], where: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield each directive with the place that errors name; refuse what is not one."""
    for number, directive in enumerate(directives, start=1):
        place = f"{where}, directive {number}"
        if not isinstance(directive, Mapping) or not {"target", "type"} <= directive.keys():
            raise MappingError(
                f"{place}: {directive!r} is not a directive (legal: target, type, ...)"
            )
        if directive["type"] not in TYPES:
            raise MappingError(unknown("type", directive["type"], TYPES, place))
        yield directive, place


def _targets(accelerator: Accelerator) -> dict[str, int]:
    names = {level.name: index for index, level in enumerate(accelerator.levels)}
    return names | {fanout_name(level): i for i, level in enumerate(accelerator.levels)}


@dataclass(frozen=True)
class DimReader:
    """Reads factors and permutations of ``dims``; ``names`` are these by the file's."""

    dims: Sequence[str]
    names: Mapping[str, str]

    def factors(self, value: object, place: str) -> list[float]:
        """Return the factor of each dim from ``C=4 K2``, ``[C=4, K=2]`` or nothing."""
        texts = re.split(r"[\s,]+", value.strip()) if isinstance(value, str) else value or []
        if not isinstance(texts, Sequence):
            raise MappingError(
                f"{place}: factors is {value!r}; legal: a text or list such as C=4 K=2"
            )
        factors = dict.fromkeys(self.dims, 1.0)
        for text in texts:
            match = re.fullmatch(r"([A-Za-z]+)\s*=?\s*(\d+)", str(text))
            if match is None or match[1] not in self.names or int(match[2]) < 1:
                raise MappingError(
                    f"{place}: factor {text!r}; legal: DIM=N with DIM in {', '.join(self.dims)} "
                    "and N >= 1"
                )
            factors[self.names[match[1]]] = float(match[2])
        return list(factors.values())

    def permutation(self, value: object, place: str) -> list[int]:
        """Return dims from the innermost out; those not named go outside, as in Timeloop."""
        letters = re.sub(r"[\s,]", "", value) if isinstance(value, str) else value or ""
        if not isinstance(letters, Sequence):
            raise MappingError(f"{place}: permutation is {value!r}; legal: dims such as PQCK")
        named = [self.names.get(str(letter), str(letter)) for letter in letters]
        for dim in named:
            if dim not in self.dims or named.count(dim) > 1:
                raise MappingError(
                    f"{place}: permutation {value!r} has {dim}; legal: each of "
                    f"{', '.join(self.dims)} once"
                )
        rest = [dim for dim in self.dims if dim not in named]
        return [self.dims.index(dim) for dim in named + rest]


def _read_spread(directive: Mapping[str, Any], read: DimReader, place: str) -> Tensor:
    factors = read.factors(directive.get("factors"), place)
    permutation = read.permutation(directive.get("permutation"), place)
    split = directive.get("split", len(factors))
    if isinstance(split, bool) or not isinstance(split, int) or split < 0:
        raise MappingError(f"{place}: split is {split!r}; legal: an integer >= 0")
    spatial = torch.ones(len(AXES), len(factors), dtype=torch.float64)
    for position, dim in enumerate(permutation):
        spatial[0 if position < split else 1, dim] = factors[dim]
    return spatial


def _check_kept(directive: Mapping[str, Any], level: Level, names: Names, place: str) -> None:
    kept = directive.get("keep")
    if kept is not None and set(names.roles(kept)) != set(level.keeps):
        raise MappingError(
            f"{place}: {level.name} keeps {list(kept)!r}; legal on this accelerator: "
            f"{list(level.keeps)!r}"
        )

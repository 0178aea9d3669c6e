"""Which sizes a search can infer from mappings, and the others, which fixed parameters settle.

A parameter can be inferred where it stands alone as the width of meshes or as the size of one
level. Sizes that several levels share, or that are computed, need their parameters fixed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tilegrad.accelerator.accelerator import Accelerator
from tilegrad.accelerator.expression import Expression, constant, values
from tilegrad.accelerator.level import Level
from tilegrad.errors import ConfigError

WIDTH, SIZE, COMPUTED = "mesh", "size", "computed"


@dataclass(frozen=True)
class _Limit:
    """A size of a level that bounds its mappings; ``uses`` are the parameters it depends on."""

    field: str
    kind: str
    expression: Expression
    uses: frozenset[str]


def settled(accelerator: Accelerator, fixed: Mapping[str, float]) -> Accelerator:
    """Return the accelerator with sizes that ``fixed`` parameters settle as plain numbers.

    What is left is what mappings can be asked for: ``fanout_parameters`` are widths of meshes,
    ``capacity_parameters`` each the size of one level. Raises ``ConfigError`` naming a free
    parameter that cannot be inferred, the field that needs it and what is legal.
    """
    alone = _inferable(accelerator)
    for name in accelerator.parameters:
        if name not in fixed and name not in alone:
            _refuse(accelerator, name)
    levels = tuple(
        _settle(level, f"{accelerator.name}.levels[{index}]", alone, fixed)
        for index, level in enumerate(accelerator.levels)
    )
    changed = any(new is not old for new, old in zip(levels, accelerator.levels, strict=True))
    return replace(accelerator, levels=levels) if changed else accelerator


def _limits(level: Level, where: str) -> Iterator[_Limit]:
    for axis, fanout in level.fanout.items():
        field = f"{where}.fanout.{axis}.width"
        yield _Limit(field, WIDTH, fanout.width, fanout.width.names)
    if level.capacity_kb is not None:
        # What one instance holds is what bounds a mapping.
        uses = level.capacity_kb.names | level.instances.names
        yield _Limit(f"{where}.capacity_kb", SIZE, level.capacity_kb, uses)


def _inferable(accelerator: Accelerator) -> frozenset[str]:
    """Return the parameters that stand alone: as widths only, or as one level's size only."""
    kinds: dict[str, Counter[str]] = {name: Counter() for name in accelerator.parameters}
    for level in accelerator.levels:
        for limit in _limits(level, ""):
            for name in limit.expression.names:
                kinds[name][limit.kind if limit.expression.parameter else COMPUTED] += 1
    return frozenset(
        name
        for name, uses in kinds.items()
        if uses.total() == uses[WIDTH] > 0 or uses.total() == uses[SIZE] == 1
    )


def _refuse(accelerator: Accelerator, name: str) -> None:
    fields = [
        f"accelerator {limit.field} is {limit.expression.text!r}"
        for index, level in enumerate(accelerator.levels)
        for limit in _limits(level, f"{accelerator.name}.levels[{index}]")
        if name in limit.expression.names
    ]
    told = "; ".join(fields) or f"no mesh or buffer of accelerator {accelerator.name} has its size"
    raise ConfigError(
        f"hardware.{name} is null, and mappings do not tell its size ({told}); legal: "
        f"hardware.{name}=NUMBER, or a parameter of its own for each buffer and mesh"
    )


def _undecided(limit: _Limit, free: list[str]) -> ConfigError:
    names = " and ".join(f"hardware.{name}" for name in free)
    null = "is null, and with it" if len(free) == 1 else "are null, and with them"
    numbers = " ".join(f"hardware.{name}=NUMBER" for name in free)
    return ConfigError(
        f"{names} {null} what accelerator {limit.field} leaves each instance "
        f"({limit.expression.text!r}), which mappings cannot tell; legal: {numbers}, or a "
        "parameter of its own for each buffer and mesh"
    )


def _settle(level: Level, where: str, alone: frozenset[str], fixed: Mapping[str, float]) -> Level:
    numbers = {}
    for limit in _limits(level, where):
        if limit.expression.parameter in alone or not limit.uses:
            continue
        if free := sorted(limit.uses - fixed.keys()):
            raise _undecided(limit, free)
        numbers[limit.field] = constant(float(values(limit.expression, fixed)))
    if not numbers:
        return level
    fanout = {
        axis: replace(each, width=numbers.get(f"{where}.fanout.{axis}.width", each.width))
        for axis, each in level.fanout.items()
    }
    size = numbers.get(f"{where}.capacity_kb")
    if size is None:
        return replace(level, fanout=fanout)
    instances = constant(float(values(level.instances, fixed)))
    return replace(level, fanout=fanout, capacity_kb=size, instances=instances)

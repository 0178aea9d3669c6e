"""How many instances a level has: what the fanouts of the levels outside it make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tilegrad.accelerator.expression import Expression, parse_expression, values
from tilegrad.accelerator.level import Level
from tilegrad.errors import AcceleratorError

PROBES = ((7, 3), (16, 16), (101, 89))
"""Sizes at which given instances are compared: the first parameter's, and how much more the others
have, one after another. No two sums, products or powers agree at all of them by chance."""


def widths_outside(levels: Sequence[Level]) -> list[Expression]:
    """Return the mesh widths of ``levels``, all that lie outside some level."""
    return [fanout.width for level in levels for fanout in level.fanout.values()]


def instances_of(
    given: object, outside: Sequence[Expression], parameters: Iterable[str], where: str
) -> Expression:
    """Return the instances of a level inside meshes of the widths ``outside``.

    What is ``given`` (None: nothing) must agree at all sizes: ``AcceleratorError`` names both.
    """
    names = tuple(parameters)
    product = " * ".join(map(_factor, outside)) or "1"
    derived = parse_expression(product, names, where)
    if given is None:
        return derived
    stated = parse_expression(given, names, where)
    for first, step in PROBES:
        sizes = {name: float(first + step * place) for place, name in enumerate(names)}
        have, need = (float(values(each, sizes)) for each in (stated, derived))
        if not abs(have - need) <= 1e-9 * need:
            used = sorted(stated.names | derived.names)
            at = ", ".join(f"{name} {sizes[name]:g}" for name in used)
            raise AcceleratorError(
                f"{where}: {stated.text!r} is {have:g}{at and f' at {at}'}, but the fanouts of the "
                f"levels outside make {need:g}; legal: {product}, or no instances at all, which "
                "then follow from the fanouts"
            )
    return stated


def check_cluster(level: Level, where: str) -> None:
    """Refuse instances that a level's clusters do not divide."""
    if level.cluster == 1:
        return
    if level.instances.names:
        raise AcceleratorError(
            f"{where}: cluster is {level.cluster} and instances is {level.instances.text!r}; "
            "legal: a cluster of 1, or a number of instances"
        )
    instances = float(level.instances({}))
    if instances % level.cluster:
        raise AcceleratorError(
            f"{where}: cluster is {level.cluster} and instances is {instances:g}; "
            "legal: a cluster that divides the instances"
        )


def _factor(width: Expression) -> str:
    simple = width.parameter is not None or not width.names
    return width.text if simple else f"({width.text})"

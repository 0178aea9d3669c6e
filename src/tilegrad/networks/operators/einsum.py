"""Einsum equations of two tensors as contractions."""

from __future__ import annotations

from collections.abc import Sequence

from tilegrad.networks.operators.contraction import Contraction, contraction


class NoProductError(ValueError):
    """An equation that is no sum of products of two tensors; the text says why.

    ``macs``: what it multiplies and accumulates, None where that is not known.
    """

    def __init__(self, reason: str, macs: int | None = None) -> None:
        super().__init__(reason)
        self.macs = macs


def einsum(equation: str, shapes: Sequence[Sequence[int]]) -> Contraction:
    """Return what an equation such as ``bij,bjk->bik`` computes of tensors of these shapes.

    Raises ``NoProductError`` where it has other than two operands, a label twice in one of them,
    or sums over nothing.
    """
    operands, _, result = equation.replace(" ", "").partition("->")
    texts = operands.split(",")
    if len(texts) != 2:
        raise NoProductError(f"it has {len(texts)} operands, not two")
    labels = [_labels(text, len(shape)) for text, shape in zip(texts, shapes, strict=True)]
    sizes: dict[str, int] = {}
    for names, shape in zip(labels, shapes, strict=True):
        for name, size in zip(names, shape, strict=True):
            sizes[name] = max(sizes.get(name, 1), size)
    out = _labels(result, None, sizes) if "->" in equation else _implicit(labels)
    summed = set(labels[0]) & set(labels[1]) - set(out)
    if not summed:
        raise NoProductError("it multiplies element by element and sums over nothing", 0)
    # A label of size 1 in one operand is broadcast there: it moves the other alone.
    moving = [
        [name for name, size in zip(names, shape, strict=True) if size == sizes[name]]
        for names, shape in zip(labels, shapes, strict=True)
    ]
    return contraction(moving[0], moving[1], out, sizes)


def _labels(text: str, rank: int | None, known: Sequence[str] | dict[str, int] = ()) -> list[str]:
    """Return a label for each dim; an ellipsis stands for the leading dims ``...1``, ``...0``."""
    before, dots, after = text.partition("...")
    if not dots:
        names = list(text)
    else:
        if rank is None:
            hidden = sorted((name for name in known if name.startswith(".")), reverse=True)
        else:
            count = rank - len(before) - len(after)
            hidden = [f".{place}" for place in reversed(range(count))]
        names = [*before, *hidden, *after]
    if len(set(names)) < len(names):
        raise NoProductError(f"it takes a diagonal, {text!r}")
    return names


def _implicit(labels: Sequence[Sequence[str]]) -> list[str]:
    every = [name for names in labels for name in names]
    once = sorted(name for name in set(every) if every.count(name) == 1)
    return [*sorted(name for name in set(every) if name.startswith(".")), *once]

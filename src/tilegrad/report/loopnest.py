"""One layer's mapping as a loop nest that a person can read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from tilegrad.accelerator import ACCESSES, AXES, Accelerator, Level
from tilegrad.mapping import LoopNest, format_shorthand
from tilegrad.mapping.covers import covered, padding_text
from tilegrad.nest import Nest, analyse
from tilegrad.report.engineering import kilobytes
from tilegrad.workload import Problem

_LEGEND = (
    "Words moved by one execution, all instances together: reads serve the next level inwards,\n"
    "fills come from the level outside, updates are partial sums that arrive from inside."
)
_HEADINGS = ("level", "instances", "tensor", "tile words", "tile size", *ACCESSES)


def loop_nest_text(mapping: LoopNest, accelerator: Accelerator, problem: Problem) -> str:
    """Return the loop nest of one mapping ``[level, dim]`` and the traffic of every level."""
    accelerator = accelerator.running(problem.shape)
    nest = analyse(mapping, torch.tensor(problem.strides, dtype=torch.float64), accelerator)
    sizes = " ".join(f"{name}={size}" for name, size in problem.as_dict().items())
    added = padding_text(problem, mapping)
    padded = f", padded to {covered(problem, mapping).macs:,}: {added}" if added else ""
    lines = [
        f"{problem.name}, {problem.count} x: {sizes} ({problem.macs:,} MACs{padded})",
        format_shorthand(mapping, accelerator),
        "",
        *_loop_lines(mapping, accelerator, nest),
        "",
        _LEGEND,
        *_aligned([_HEADINGS, *_traffic(accelerator, nest)]),
    ]
    return "\n".join(lines) + "\n"


def _loop_lines(mapping: LoopNest, accelerator: Accelerator, nest: Nest) -> Iterator[str]:
    depth, dims = 0, _loop_names(accelerator.shape.dims)
    for index in reversed(range(len(accelerator.levels))):
        yield "  " * depth + _level_comment(accelerator.levels[index], index, nest)
        for loop in _level_loops(mapping, index, dims):
            yield "  " * depth + loop
            depth += 1
    yield "  " * depth + "multiply-accumulate"


def _loop_names(dims: Sequence[str]) -> Sequence[str]:
    """Return the dims in small letters, where these tell them apart."""
    small = [dim.lower() for dim in dims]
    return small if len(set(small)) == len(small) else dims


def _level_comment(level: Level, index: int, nest: Nest) -> str:
    instances = nest.instances[index].item()
    copies = f", each of {instances:,.0f} instances" if instances > 1 else ""
    tiles = (
        f"{tensor} {_words(kept.tile)} {'word' if kept.tile == 1 else 'words'} "
        f"({kilobytes(kept.tile.item() * level.bytes_per_word)})"
        for tensor, kept in nest.accesses[index].items()
    )
    return f"# {level.name}{copies}: {', '.join(tiles)}"


def _level_loops(mapping: LoopNest, level: int, dims: Sequence[str]) -> Iterator[str]:
    """Yield the loops of one level that have more than one step, outermost first."""
    for dim in mapping.order[level].tolist():
        yield from _loop("for", dims[dim], mapping.temporal[level, dim].item())
    for axis in reversed(range(len(AXES))):
        for dim, bound in enumerate(mapping.spatial[level, axis].tolist()):
            yield from _loop("parallel-for", dims[dim], bound, f" ({AXES[axis]})")


def _loop(word: str, dim: str, bound: float, mark: str = "") -> Iterator[str]:
    if bound > 1:
        yield f"{word} {dim} in 0..{bound - 1:.0f}{mark}"


def _traffic(accelerator: Accelerator, nest: Nest) -> Iterator[tuple[str, ...]]:
    for index in reversed(range(len(accelerator.levels))):
        level, instances = accelerator.levels[index], nest.instances[index]
        for tensor, kept in nest.accesses[index].items():
            size = kilobytes(kept.tile.item() * level.bytes_per_word)
            moved = [_words(getattr(kept, kind) * instances) for kind in ACCESSES]
            yield (level.name, _words(instances), tensor, _words(kept.tile), size, *moved)


def _words(count: torch.Tensor) -> str:
    return f"{count.item():,.0f}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the rows as lines of equal columns, names to the left and numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, _HEADINGS, strict=True)
        yield "  ".join(
            cell.ljust(width) if heading in ("level", "tensor") else cell.rjust(width)
            for cell, width, heading in cells
        )

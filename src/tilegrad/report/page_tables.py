"""The cells of the page's tables that are more than a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tilegrad.accelerator import Accelerator, Level
from tilegrad.record import Result
from tilegrad.report.engineering import kilobytes
from tilegrad.shape.conv import CONV, GROUPED
from tilegrad.workload import Problem

LEVEL_HEADINGS = ("level", "keeps", "kind", "word bits", "instances", "size", "spatial loops")


def shape_text(problem: Problem) -> str:
    """Return a layer's shape as people write it: ``3x3/2, 64 to 128 channels, 56x56``."""
    if problem.shape in (CONV, GROUPED):
        return _convolution_text(problem)
    plain = dict.fromkeys(problem.shape.dims, 0)
    plain |= dict(zip(problem.shape.coefficients, problem.shape.defaults, strict=True))
    told = [f"{name} {size}" for name, size in problem.as_dict().items() if size != plain[name]]
    return f"{problem.shape.name}: {', '.join(told)}"


def _convolution_text(problem: Problem) -> str:
    r, s, p, q, c, k, n, *groups = problem.bounds
    wstride, hstride, *dilations = problem.strides
    batch = f"batch {n}, " if n > 1 else ""
    batch += "".join(f"{count} groups, " for count in groups)
    if r == s == 1 and q == 1:
        return f"{batch}{p} x {c} by {c} x {k}" if p > 1 else f"{batch}{c} to {k}"
    stride = str(wstride) if wstride == hstride else f"{wstride}x{hstride}"
    stepped = f"/{stride}" if stride != "1" else ""
    spread = "x".join(map(str, dict.fromkeys(dilations)))
    dilated = f", dilated {spread}" if spread != "1" else ""
    return f"{batch}{r}x{s}{stepped}{dilated}, {c} to {k} channels, {p}x{q}"


def sizes_text(hardware: Mapping[str, float]) -> str:
    """Return parameters with their values."""
    return ", ".join(f"{name} {value:g}" for name, value in hardware.items())


def times(value: float, reference: float) -> str:
    """Return a multiple of a reference in as many digits as tell neighbours apart."""
    ratio = value / reference if reference else 0.0
    return f"{ratio:.3f}x" if ratio < 10 else f"{ratio:,.0f}x"


def occupancy_levels(
    accelerator: Accelerator, hardware: Mapping[str, float]
) -> list[tuple[str, str]]:
    """Return the names and sizes of the levels of a limited size, the outermost first."""
    return [
        (level.name, _size(level, hardware))
        for level in reversed(accelerator.levels)
        if level.capacity_kb is not None or level.capacity_words is not None
    ]


def level_rows(accelerator: Accelerator, hardware: Mapping[str, float]) -> list[tuple[str, ...]]:
    """Return a row per level on the hardware found, the outermost first; see the headings.

    Spatial loops by the letters of a description, groups among them, whatever the layers' shapes.
    """
    described = accelerator.running(GROUPED)
    levels = reversed(described.levels)
    rows = [_level_cells(level, hardware, GROUPED.dims) for level in levels]
    return [LEVEL_HEADINGS, *rows]


def provenance(result: Result) -> dict[str, str]:
    """Return what the run was made with."""
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    return {
        "workload": result.workload,
        "accelerator": result.accelerator,
        "strategy": result.strategy,
        "objective": result.objective,
        "seed": str(result.seed),
        "versions": versions,
        "git": result.git or "none",
    }


def _level_cells(
    level: Level, hardware: Mapping[str, float], dims: Sequence[str]
) -> tuple[str, ...]:
    return (
        level.name,
        ", ".join(level.keeps),
        level.kind,
        str(level.word_bits),
        f"{float(level.instances(hardware)):,.0f}",
        _size(level, hardware),
        "; ".join(
            f"{axis}: {', '.join(dims[dim] for dim in fanout.dims)} "
            f"(up to {float(fanout.width(hardware)):,.0f})"
            for axis, fanout in level.fanout.items()
        ),
    )


def _size(level: Level, hardware: Mapping[str, float]) -> str:
    if level.capacity_kb is not None:
        return f"{kilobytes(1024 * float(level.capacity_kb(hardware)))} in all"
    if level.capacity_words is not None:
        return f"{kilobytes(level.capacity_words * level.bytes_per_word)} each"
    return "unlimited"

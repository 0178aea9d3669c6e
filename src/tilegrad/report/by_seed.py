"""What several seeds of each design found: over the floor, seed by seed, and against each other."""

from __future__ import annotations

from collections.abc import Sequence

from tilegrad.report.comparison import GEOMEAN, Comparison
from tilegrad.report.curves import floor, floor_name
from tilegrad.report.engineering import scientific
from tilegrad.report.seeds import geometric_mean, interval

Rows = list[list[str]]


def over_floor(comparison: Comparison) -> Rows:
    """Return a header, then a row per design: EDP over the floor of each network, and their mean.

    Geometric means of the seeds with their intervals; the mean's is over the networks.
    """
    several = len(comparison.workloads) > 1
    last = [GEOMEAN] if several else []
    rows = [[f"EDP over {floor_name(comparison)}", *comparison.workloads, *last]]
    for design in comparison.designs:
        found = [_ratios(comparison, design, each) for each in comparison.workloads]
        mean = [_pooled(list(map(geometric_mean, found)))] if several else []
        rows.append([design, *map(_pooled, found), *mean])
    return rows


def each_seed(comparison: Comparison) -> Rows:
    """Return a header, then a row per network and design: EDP over its floor by each seed.

    The EDP [uJ*cycles] is the geometric mean; samples and the search's seconds by the clock are
    the least and the most.
    """
    head = ["network", "design", "EDP", "mean (95 %)", "by seed", "samples", "seconds"]
    rows = [head]
    for network in comparison.workloads:
        for design in comparison.designs:
            runs = [each.result for each in comparison.runs(design, network)]
            ratios = _ratios(comparison, design, network)
            seeds = ", ".join(
                f"{run.seed}: {_ratio(own)}" for run, own in zip(runs, ratios, strict=True)
            )
            mean = scientific(geometric_mean(comparison.edps(design, network)))
            ends = (_ends([run.samples for run in runs]), _ends([run.seconds for run in runs]))
            rows.append([network, design, mean, _pooled(ratios), seeds, *ends])
    return rows


def against(comparison: Comparison) -> Rows:
    """Return a header, then a row per design: its EDP over each other design's.

    The geometric mean over the networks with the interval of their ratios; of one network the
    seeds' ratio and its interval.
    """
    rows = [["EDP of the row over the column's (95 %)", *comparison.designs]]
    for one in comparison.designs:
        pairs = [_over(comparison, one, other) for other in comparison.designs]
        rows.append([one, *pairs])
    return rows


def _over(comparison: Comparison, one: str, other: str) -> str:
    if one == other:
        return "1"
    pairs = [
        (comparison.edps(one, each), comparison.edps(other, each)) for each in comparison.workloads
    ]
    if len(pairs) == 1:
        ((own, theirs),) = pairs
        return _cell(geometric_mean(own) / geometric_mean(theirs), interval(own, theirs))
    return _pooled([geometric_mean(own) / geometric_mean(theirs) for own, theirs in pairs])


def _ratios(comparison: Comparison, design: str, network: str) -> list[float]:
    least, _ = floor(comparison, network)
    return [edp / least for edp in comparison.edps(design, network)]


def _pooled(ratios: Sequence[float]) -> str:
    return _cell(geometric_mean(ratios), interval(ratios))


def _cell(mean: float, ends: tuple[float, float]) -> str:
    low, high = map(_ratio, ends)
    return _ratio(mean) if low == high else f"{_ratio(mean)} ({low} to {high})"


def _ratio(value: float) -> str:
    """Return three places of a ratio near 1, three digits of a large one."""
    return f"{value:.3f}" if value < 10 else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _ends(values: Sequence[float]) -> str:
    low, high = (f"{each:,.0f}" for each in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"

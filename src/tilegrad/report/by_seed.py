"""What several seeds of each design found: over the floor, seed by seed, and against each other."""

from __future__ import annotations

from collections.abc import Sequence

from tilegrad.report.comparison import FEWER, GEOMEAN, Comparison
from tilegrad.report.curves import floor, floor_name
from tilegrad.report.engineering import scientific
from tilegrad.report.searched import NONE_FITS, Entry, Unfit, least_to_most
from tilegrad.report.seeds import geometric_mean, interval

Rows = list[list[str]]


def over_floor(comparison: Comparison) -> Rows:
    """Return a header, then a row per design: EDP over the floor of each network, and their mean.

    Geometric means of the seeds with their intervals; the mean's is over the networks, where every
    one has a design that fits.
    """
    several = len(comparison.workloads) > 1
    last = [GEOMEAN] if several else []
    rows = [[f"EDP over {floor_name(comparison)}", *comparison.workloads, *last]]
    for design in comparison.designs:
        cells = [_mean(comparison, design, each) for each in comparison.workloads]
        rows.append([design, *cells, *([_over_networks(comparison, design)] if several else [])])
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
            runs = comparison.searched(design, network)
            least, _ = floor(comparison, network)
            seeds = ", ".join(f"{run.seed}: {_one(run, least)}" for run in runs)
            edps, mark = comparison.edps(design, network), _mark(comparison, design, network)
            edp = f"{scientific(geometric_mean(edps))}{mark}" if edps else "-"
            mean = _mean(comparison, design, network)
            samples = least_to_most([run.samples for run in runs])
            seconds = least_to_most([run.seconds for run in runs])
            rows.append([network, design, edp, mean, seeds, samples, seconds])
    return rows


def against(comparison: Comparison) -> Rows:
    """Return a header, then a row per design: its EDP over each other design's.

    The geometric mean over the networks with the interval of their ratios; of one network the
    seeds' ratio and its interval. Nothing where one of the two has a network without a design.
    """
    rows = [["EDP of the row over the column's (95 %)", *comparison.designs]]
    for one in comparison.designs:
        pairs = [_over(comparison, one, other) for other in comparison.designs]
        rows.append([one, *pairs])
    return rows


def _over(comparison: Comparison, one: str, other: str) -> str:
    if one == other:
        return "1"
    networks = comparison.workloads
    pairs = [(comparison.edps(one, each), comparison.edps(other, each)) for each in networks]
    if not all(own and theirs for own, theirs in pairs):
        return "-"
    ratios = [geometric_mean(own) / geometric_mean(theirs) for own, theirs in pairs]
    mark = _mark(comparison, one, *networks) or _mark(comparison, other, *networks)
    if len(networks) > 1:
        return _pooled(ratios, mark)
    (ratio,) = ratios
    return _cell(ratio, comparison.seeds_interval(one, other, networks[0]) or (ratio, ratio), mark)


def _mean(comparison: Comparison, design: str, network: str) -> str:
    """Return a design's mean over the floor, of the seeds that found one that fits."""
    ratios = _ratios(comparison, design, network)
    return _pooled(ratios, _mark(comparison, design, network)) if ratios else NONE_FITS


def _over_networks(comparison: Comparison, design: str) -> str:
    found = [_ratios(comparison, design, each) for each in comparison.workloads]
    if not all(found):
        return "-"
    mark = _mark(comparison, design, *comparison.workloads)
    return _pooled([geometric_mean(ratios) for ratios in found], mark)


def _ratios(comparison: Comparison, design: str, network: str) -> list[float]:
    least, _ = floor(comparison, network)
    return [edp / least for edp in comparison.edps(design, network)]


def _mark(comparison: Comparison, design: str, *networks: str) -> str:
    return FEWER if comparison.fewer(design, *networks) else ""


def _one(run: Entry | Unfit, least: float) -> str:
    return _ratio(run.edp / least) if isinstance(run, Entry) else NONE_FITS


def _pooled(ratios: Sequence[float], mark: str) -> str:
    return _cell(geometric_mean(ratios), interval(ratios), mark)


def _cell(mean: float, ends: tuple[float, float], mark: str) -> str:
    low, high = map(_ratio, ends)
    told = f"{_ratio(mean)}{mark}"
    return told if low == high else f"{told} ({low} to {high})"


def _ratio(value: float) -> str:
    """Return three places of a ratio near 1, three digits of a large one."""
    return f"{value:.3f}" if value < 10 else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"

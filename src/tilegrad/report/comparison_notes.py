"""What to know of a comparison's searches that were cut off, or found no design that fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tilegrad.report.comparison import FEWER, MARK, Comparison
from tilegrad.report.searched import NONE_FITS, Entry, Unfit


def notes(comparison: Comparison) -> list[str]:
    """Return a sentence each; none where every search found a design and ended by itself."""
    return [*_cut_off(comparison), *unfit(comparison)]


def unfit(comparison: Comparison) -> Iterator[str]:
    """Yield a sentence each of designs without one that fits, by all seeds and by some."""
    pairs = [(d, w) for d in comparison.designs for w in comparison.workloads]
    none = [pair for pair in pairs if not comparison.runs(*pair)]
    if none:
        yield f"{_places(none)}: {NONE_FITS}, of all that were tried."
    if some := [pair for pair in pairs if comparison.fewer(*pair)]:
        told = "; ".join(_seeds(comparison, *pair) for pair in some)
        yield f"{FEWER} is of fewer seeds than were searched: {NONE_FITS} by {told}."


def reasons(comparison: Comparison) -> Iterator[str]:
    """Yield a sentence for each search without a design that fits: what it said."""
    for each in comparison.unfit:
        yield f"{each.design} on {each.workload}, seed {each.seed}: {each.reason}."


def _seeds(comparison: Comparison, design: str, workload: str) -> str:
    searched = comparison.searched(design, workload)
    seeds = [str(each.seed) for each in searched if isinstance(each, Unfit)]
    return f"{design} on {workload} (seed {', '.join(seeds)}; {len(searched)} were searched)"


def _cut_off(comparison: Comparison) -> list[str]:
    cut = [entry for entry in comparison.entries if entry.cut_off]
    if not cut:
        return []
    told = [
        f"{MARK} rests on a search that its budget cut off, whose EDP is an upper bound of "
        f"what the design can do: {_places(map(_place, cut))}."
    ]
    if (reference := comparison.reference) in {entry.design for entry in cut}:
        told.append(f"The reference, {reference}, was cut off: ratios to it may be too small.")
    if len(cut) == len(comparison.entries):
        told.append("Every search was cut off: nothing here says what a design can do.")
    return told


def _place(entry: Entry) -> tuple[str, str]:
    return entry.design, entry.workload


def _places(pairs: Iterable[tuple[str, str]]) -> str:
    """Return designs and their networks: ``a on bert, unet; b on unet``."""
    places: dict[str, list[str]] = {}
    for design, workload in pairs:
        places.setdefault(design, []).append(workload)
    return "; ".join(
        f"{design} on {', '.join(dict.fromkeys(names))}" for design, names in places.items()
    )

"""The page of the leaderboard: a table for each network, of what its searches came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tilegrad.report.searched import NONE_FITS
from tilegrad.report.seeds import geometric_mean

NOT_SEARCHED = "-"

EXACT = "exact"
"""The row whose bounds the others are told over."""

PAGE = """# Leaderboard

`{command}`
wrote this page; it goes on where it was interrupted (`--jobs 2`: two searches at once by joblib,
`--ray`: as many as a Ray cluster has processors). Each strategy with its defaults
(`conf/strategy/`), or as listed below; {seeds}, no budget; the network's EDP; factors that divide
their bounds (`padding=none`); `pe_dim` up to 128 where it is free. A cell: how far the design lies
above the proven bound of its column (`strategy=exact`, gap 0.1 %), the processor seconds of its
command, start-up included, in brackets how many thousand designs were evaluated. `-`: not searched;
empty: the strategy is not for that machine. Which settings were tried:
[baselines.md](baselines.md).
"""

OF_SEEDS = """
Of several seeds: the geometric mean over the bound, the least and the most, and the means of
seconds and designs. Of what draws nothing ({alike}) the first seed is all.
"""


@dataclass(frozen=True)
class Outcome:
    """What one search came to; without ``edp`` no design fits.

    ``edp`` and the ``bound`` of it that was proven, if any, in uJ*cycles; ``seconds`` of the
    processor, a ``part`` of them where the search was killed once; ``samples``: designs evaluated.
    """

    seconds: float
    part: bool
    edp: float | None = None
    bound: float | None = None
    samples: float = 0.0


Outcomes = Sequence[Outcome | None]
"""Of each seed; None: not searched."""

Cells = Mapping[tuple[str, str], Outcomes]
"""By row and column; none where the strategy is not for the machine."""


def head(
    command: str,
    seeds: Sequence[int],
    rows: Mapping[str, Sequence[str]],
    columns: Mapping[str, Sequence[str]],
    alike: Sequence[str],
) -> str:
    """Return what stands above the tables.

    ``rows`` and ``columns``: the overrides of those that are not a strategy's or an accelerator's
    defaults; ``alike``: rows that do not depend on the seed.
    """
    several = len(seeds) > 1
    listed = f"seed{'s' if several else ''} {', '.join(map(str, seeds))}"
    names = ", ".join(f"`{each}`" for each in alike)
    of_seeds = OF_SEEDS.format(alike=names) if several and alike else ""
    told = [f"- {name}: `{' '.join(own)}`" for name, own in {**rows, **columns}.items()]
    return "\n".join([PAGE.format(command=command, seeds=listed) + of_seeds, *told, ""])


def table(network: str, rows: Sequence[str], columns: Sequence[str], cells: Cells) -> str:
    """Return a network's table: a row for each strategy, a column for each machine."""
    bounds = {column: _bound(cells.get((EXACT, column), ())) for column in columns}
    lines = [
        f"## {network}",
        "",
        f"| strategy | {' | '.join(columns)} |",
        f"|---|{'---|' * len(columns)}",
    ]
    for row in rows:
        told = [
            cell(cells[row, column], bound) if (row, column) in cells else ""
            for column, bound in bounds.items()
        ]
        lines.append(f"| `{row}` | {' | '.join(told)} |")
    return "\n".join([*lines, "", *_proven(bounds), ""])


def _bound(outcomes: Outcomes) -> float | None:
    known = [each.bound for each in outcomes if each is not None and each.bound is not None]
    return max(known, default=None)


def _proven(bounds: Mapping[str, float | None]) -> list[str]:
    known = [f"{bound:.4g} ({name})" for name, bound in bounds.items() if bound is not None]
    unknown = [name for name, bound in bounds.items() if bound is None]
    told = [f"No design's EDP is below, in uJ*cycles: {', '.join(known)}."] if known else []
    if unknown:
        told.append(f"No bound is known yet, and EDPs stand as they are: {', '.join(unknown)}.")
    return told


def cell(outcomes: Outcomes, bound: float | None) -> str:
    """Return what the seeds of a search came to, over the bound of its column."""
    searched = [each for each in outcomes if each is not None]
    if not searched:
        return NOT_SEARCHED
    over = "over " if any(each.part for each in searched) else ""
    spent = f"{over}{sum(each.seconds for each in searched) / len(searched):.0f} s"
    found = [(each.edp, each.samples) for each in searched if each.edp is not None]
    if found:
        edps, samples = zip(*found, strict=True)
        thousands = sum(samples) / len(samples) / 1000
        told = f"{_over(edps, bound)}, {spent} ({thousands:.3g})"
    else:
        told = f"{NONE_FITS}, {spent}"
    unfit = len(searched) - len(found) if found else 0
    missing = {NONE_FITS: unfit, "not searched": len(outcomes) - len(searched)}
    words = [f"{what} by {n} of {len(outcomes)} seeds" for what, n in missing.items() if n]
    return "; ".join([told, *words])


def _over(edps: Sequence[float], bound: float | None) -> str:
    """Return the mean of EDPs over a bound, and the ends of several."""
    mean, *ends = [geometric_mean(edps), min(edps), max(edps)] if edps[1:] else edps
    if bound is None:
        mean_told, *told = (f"{edp:.4g} uJ*cycles" for edp in (mean, *ends))
    else:
        mean_told, *told = (_above(edp / bound - 1) for edp in (mean, *ends))
    return f"{mean_told}, {' to '.join(told)}" if told else mean_told


def _above(share: float) -> str:
    return f"{share:.2%}" if share < 1 else f"{share + 1:.3g} x"

"""What a front is measured against: random designs, of which the same figures count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

from tilegrad.files import read_json, write_json
from tilegrad.front.figures import Figure
from tilegrad.front.pareto import nondominated
from tilegrad.mapping import LoopNest
from tilegrad.search import SearchProblem
from tilegrad.search.objective import UJ_PER_PJ
from tilegrad.search.random import RandomDesigns, designs_per_unit

SECONDS, SAMPLES = "seconds", "samples"
BASELINES = (SECONDS, SAMPLES)
"""What random designs have as much of as the front's searches: time, or evaluated designs."""

FILE = "baseline.json"


@dataclass(frozen=True)
class Baseline:
    """The front of random designs: ``values [design][figure]``, of ``samples`` in ``seconds``.

    ``by``: of ``BASELINES``; ``most``: how much of that there was to be.
    """

    by: str
    most: float
    samples: int
    seconds: float
    values: list[list[float]]


def random_front(
    problem: SearchProblem,
    figures: Sequence[Figure],
    seed: int,
    by: str,
    most: float,
    observe: Callable[[float], None],
) -> Baseline:
    """Draw random designs until they are ``most``, or took so many seconds; keep their front.

    Each is on the least hardware that it needs. ``observe`` hears of the share that is done.
    """
    random, unit = RandomDesigns.of(problem, seed), designs_per_unit(problem)
    begun, samples, seconds = monotonic(), 0, 0.0
    kept: list[list[float]] = []
    while (samples if by == SAMPLES else seconds) < most:
        drawn = random.draw(samples, unit, lambda: None)
        if by == SAMPLES:
            drawn = drawn[: int(most) - samples]
        kept += _values(problem, figures, drawn)
        kept = [kept[place] for place in nondominated(kept)]
        samples, seconds = samples + drawn.batch_shape[0], monotonic() - begun
        observe((samples if by == SAMPLES else seconds) / most)
    return Baseline(by, most, samples, seconds, kept)


def _values(
    problem: SearchProblem, figures: Sequence[Figure], drawn: LoopNest
) -> list[list[float]]:
    """Return the figures of those designs ``[design, layer]`` that are legal."""
    cost, value = problem.evaluate(drawn)
    legal = value < float("inf")
    energy, cycles = cost.energy_pj[legal] * UJ_PER_PJ, cost.cycles[legal]
    area = cost.area_mm2.expand(value.shape)[legal]
    clock = problem.accelerator.clock_mhz
    columns = (figure.value(energy, cycles, area, clock).tolist() for figure in figures)
    return [list(row) for row in zip(*columns, strict=True)]


def save(baseline: Baseline, directory: Path) -> None:
    """Write what ``load`` reads."""
    write_json(directory / FILE, asdict(baseline))


def load(directory: Path, by: str, most: float) -> Baseline | None:
    """Return the baseline that was written there; None where there is none, or another one."""
    if not (directory / FILE).exists():
        return None
    found = Baseline(**read_json(directory / FILE))
    return found if (found.by, found.most) == (by, most) else None

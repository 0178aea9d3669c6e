"""What a comparison's searches ended with: a design, or none that fits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tilegrad.record import Result
from tilegrad.report.history import History

COMPLETE = "complete"
"""Status of a search that ended by itself."""

NONE_FITS = "no design fits"
"""What stands for a search's design where none that it tried fits."""


@dataclass(frozen=True)
class Entry:
    """What a search found one design to need for one network: as a checkpoint predicts, if it can.

    ``history``: its curve, where it was read.
    """

    design: str
    result: Result
    history: History | None = None

    @property
    def workload(self) -> str:
        """The network's name."""
        return self.result.workload

    @property
    def seed(self) -> int:
        """The search's seed."""
        return self.result.seed

    @property
    def samples(self) -> float:
        """Designs that it evaluated."""
        return self.result.samples

    @property
    def seconds(self) -> float:
        """How long it searched, by the clock."""
        return self.result.seconds

    @property
    def edp(self) -> float:
        """EDP [uJ*cycles]."""
        prediction = self.result.predicted
        return prediction.edp if prediction else self.result.edp

    @property
    def cycles(self) -> float:
        """Latency of the network."""
        prediction = self.result.predicted
        return prediction.cycles if prediction else self.result.cycles

    @property
    def cut_off(self) -> bool:
        """Whether the search ended before its plan did: a longer one may find less EDP."""
        return self.result.status != COMPLETE

    @property
    def log_width(self) -> float | None:
        """How far the prediction's interval reaches to either side, in log; None without one."""
        prediction = self.result.predicted
        if prediction is None or prediction.interval is None:
            return None
        low, high = prediction.interval.edp
        return math.log(high / low) / 2


@dataclass(frozen=True)
class Unfit:
    """A search that ended without one design that fits; ``reason`` is what it said.

    ``seconds``: how long it searched, by the clock.
    """

    design: str
    workload: str
    seed: int
    samples: int
    seconds: float
    reason: str


def least_to_most(values: Sequence[float]) -> str:
    """Return the ends of what several searches took, once where they are alike."""
    low, high = (f"{each:,.0f}" for each in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"

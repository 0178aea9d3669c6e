"""Machines that a pipeline was not trained on: how much less it knows of their times.

What two machines have shown, the published measurements' and the one that Verilator simulated, once
a predictor of either is told what the other's processor takes: that the other's programs are unlike
those of the training (``familiar``) explains most of its errors. What intervals of 90 % need beyond
is 1.07 and 0.91 times as much one way, warm and cold, and 1.3 to 1.7 times the other. The
processors' cycles for a tile differ by 5.0 and 2.6 times, convolutions' and products'.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

WIDER = 1.3
"""How many times wider intervals are on another machine, its processor being stated: between what
both directions need."""
SEVERAL_GROUPS = 2.2
"""How many times wider those of layers of several groups are, which no training has: assumed."""
PROCESSORS = 1.3
"""Deviation, in log, of what another processor takes, where that is not stated."""

_NORMAL = 1.645
"""Deviations of a normal distribution that hold for ``LEVEL``."""
LEVEL = 0.9


@dataclass(frozen=True)
class Elsewhere:
    """Which rows are of another machine, and what its unknown processor may change of them.

    ``unlike [...]`` are booleans, ``processor [...]`` deviations of log cycles.
    """

    unlike: Tensor
    processor: Tensor

    def usual(self, at_home: Tensor, quantile: Tensor) -> Tensor:
        """Return the usual error of rows whose usual error is ``at_home [...]`` as trained.

        ``quantile`` times the usual error is the half width of an interval of ``LEVEL``.
        """
        wider = torch.hypot(WIDER * at_home, self.processor * _NORMAL / quantile)
        return torch.where(self.unlike, wider, at_home)

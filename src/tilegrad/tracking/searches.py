"""What a search tells its loggers: the best EDP as it fell, the design, plots and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, open_dict
from pytorch_lightning.loggers import Logger

from tilegrad.checks import is_number
from tilegrad.search.state import SearchState
from tilegrad.tracking.loggers import Outcome, begun_loggers, complete, forget_earlier
from tilegrad.tracking.quiet import quiet_lightning

OWN = ("run.lock", "checkpoint.pt", "metrics.csv")
"""Files of a search that are of no use elsewhere, or the loggers' own."""
TABLES = ("gemmini.csv", "timeloop.csv")
"""Files that a target leaves: its figures beside the search's, layer by layer."""


@dataclass
class Tracker:
    """The loggers of a search: told its history as it goes, and in the end the rest.

    ``told`` entries of the history are known to them.
    """

    loggers: Sequence[Logger]
    name: str
    directory: Path
    told: int = 0

    @classmethod
    def begin(cls, config: DictConfig, directory: Path, name: str) -> Tracker:
        """Return the tracker of a search in ``directory``; its history is told from the start."""
        own = config.copy()
        with open_dict(own):
            own.dir = str(directory)
            own.log = {"name": name, "dir": str(directory), "prefix": ""}
        with quiet_lightning():
            loggers = begun_loggers(own)
            forget_earlier(loggers)
        return cls(loggers, name, directory)

    def observe(self, state: SearchState) -> None:
        """Tell what is new in the history: samples, seconds, the best EDP so far [uJ*cycles]."""
        with quiet_lightning():
            for samples, seconds, edp in state.history[self.told :]:
                for logger in self.loggers:
                    figures = {"best_edp": edp, "search_seconds": seconds}
                    logger.log_metrics(figures, step=samples)
        self.told = len(state.history)

    def complete(self, result: Mapping[str, Any], state: SearchState) -> None:
        """Tell the design, the plots and the files, and end the loggers."""
        self.observe(state)
        files = [path for path in sorted(self.directory.iterdir()) if _of_use(path)]
        pictures = [path for path in files if path.suffix == ".png"]
        tables = [path for path in files if path.name in TABLES]
        outcome = Outcome(self.name, "design", _figures(result), pictures, files, tables)
        with quiet_lightning():
            complete(self.loggers, outcome)


def _figures(result: Mapping[str, Any]) -> dict[str, float]:
    """Return the totals of a design and its hardware, by slash-joined names."""
    found = {f"hardware/{name}": float(value) for name, value in result["hardware"].items()}
    for name, value in result.items():
        if is_number(value):
            found[name] = float(value)
    for name, value in (result.get("measured") or {}).items():
        found[f"measured/{name}"] = float(value)
    return found


def _of_use(path: Path) -> bool:
    hidden = path.name.startswith((".", "events.out."))
    return path.is_file() and not hidden and path.name not in OWN

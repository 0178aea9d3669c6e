"""What a search tells its loggers: the best EDP as it fell, the design, plots and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, open_dict
from pytorch_lightning.loggers import Logger

from tilegrad.checks import is_number
from tilegrad.tracking.loggers import Outcome, begun_loggers, complete
from tilegrad.tracking.quiet import quiet_lightning

OWN = ("run.lock", "checkpoint.pt", "metrics.csv")
"""Files of a search that are of no use elsewhere, or the loggers' own."""


def search_loggers(config: DictConfig, directory: Path, name: str) -> list[Logger]:
    """Return the loggers of a search in ``directory``."""
    own = config.copy()
    with open_dict(own):
        own.dir = str(directory)
        own.log = {"name": name, "dir": str(directory), "prefix": ""}
    with quiet_lightning():
        return begun_loggers(own)


def track_search(
    loggers: Sequence[Logger],
    name: str,
    directory: Path,
    result: Mapping[str, Any],
    history: Sequence[tuple[int, float, float]],
) -> None:
    """Complete the loggers: ``history`` of samples, seconds and the best EDP so far, the result.

    EDP in uJ*cycles.
    """
    files = [path for path in sorted(directory.iterdir()) if _of_use(path)]
    pictures = [path for path in files if path.suffix == ".png"]
    outcome = Outcome(name, "design", _figures(result), pictures, files)
    with quiet_lightning():
        for logger in loggers:
            for samples, seconds, edp in history:
                logger.log_metrics({"best_edp": edp, "search_seconds": seconds}, step=samples)
        complete(loggers, outcome)


def _figures(result: Mapping[str, Any]) -> dict[str, float]:
    """Return the totals of a design and its hardware, by slash-joined names."""
    found = {f"hardware/{name}": float(value) for name, value in result["hardware"].items()}
    for name, value in result.items():
        if is_number(value):
            found[name] = float(value)
    return found


def _of_use(path: Path) -> bool:
    hidden = path.name.startswith((".", "events.out."))
    return path.is_file() and not hidden and path.name not in OWN

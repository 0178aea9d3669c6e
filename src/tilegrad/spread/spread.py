"""One task for several jobs: here, in processes of this machine, or by Ray's workers."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from omegaconf import DictConfig

from tilegrad.checks import positive_int
from tilegrad.errors import OutputError
from tilegrad.extras import required

FIELD = "spread=ray"

J = TypeVar("J")
D = TypeVar("D")


class Spread(Protocol):
    """Runs a task for each of some jobs."""

    @property
    def workers(self) -> int | None:
        """Threads of a job's own; None: as many as it likes."""
        ...

    def map(self, task: Callable[[J], D], jobs: Sequence[J]) -> list[D]:
        """Return what the task returns for each job, in the jobs' order."""
        ...


@dataclass(frozen=True)
class Here:
    """One job after the other, in this process."""

    workers: int | None = None

    def map(self, task: Callable[[J], D], jobs: Sequence[J]) -> list[D]:
        """Return what the task returns for each job."""
        return [task(job) for job in jobs]


@dataclass(frozen=True)
class InProcesses:
    """As many jobs at once as ``jobs`` says, each in a process of its own; -1: a processor each.

    Raises ``ConfigError`` where ``jobs`` is neither.
    """

    jobs: int = -1

    def __post_init__(self) -> None:
        if self.jobs != -1:
            positive_int("spread.jobs", self.jobs)

    @property
    def workers(self) -> int | None:
        """One thread: processes share the processors."""
        return 1

    def map(self, task: Callable[[J], D], jobs: Sequence[J]) -> list[D]:
        """Return what the task returns for each job; ``OutputError`` where a process died.

        The first error of the task is raised as it is, and ends the others' processes.
        """
        # Imported here: one job after the other needs none of it.
        from joblib import Parallel, delayed
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        place = os.getcwd()
        try:
            return list(Parallel(self.jobs)(delayed(_at)(place, task, job) for job in jobs))
        except TerminatedWorkerError as error:
            told = " ".join(str(error).split())
            raise OutputError(f"spread=joblib: {told}") from None


@dataclass(frozen=True)
class OnRay:
    """Each job a task of Ray's; ``init`` and ``remote`` are what ``ray`` takes by name.

    Workers must see files under the same paths. A job whose worker dies is run again, and goes on
    from its checkpoint.
    """

    init: Mapping[str, Any] = field(default_factory=dict)
    remote: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        required("ray", "ray", FIELD)

    @property
    def workers(self) -> int | None:
        """As many threads as processors that a job asks for."""
        return max(1, int(self.remote.get("num_cpus", 1)))

    def map(self, task: Callable[[J], D], jobs: Sequence[J]) -> list[D]:
        """Return what the task returns for each job; ``OutputError`` where a worker died for good.

        Errors of the task are raised as they are, once no job is at work.
        """
        ray = begun(self.init, FIELD)
        run = ray.remote(**{"num_cpus": 1, **self.remote})(_at)
        waiting = [run.remote(os.getcwd(), task, job) for job in jobs]
        ray.wait(waiting, num_returns=len(waiting), fetch_local=False)
        try:
            return list(ray.get(waiting))
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.RayError as error:
            told = " ".join(str(error).split())
            raise OutputError(f"{FIELD}: {type(error).__name__}: {told}") from None


def with_workers(config: DictConfig, spread: Spread) -> None:
    """Give the strategy of a job's config as many threads as a job has, where it has a field."""
    if spread.workers is not None and config.strategy.get("workers", 0) is None:
        config.strategy.workers = spread.workers


def begun(init: Mapping[str, Any], field: str) -> Any:
    """Return Ray with a cluster at hand: the one that is there, else as ``init`` says."""
    ray = required("ray", "ray", field)
    if not ray.is_initialized():
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(**init)
    return ray


def _at(place: str, task: Callable[[J], D], job: J) -> D:
    """Run one job in a worker's process, where the driver is."""
    os.chdir(place)
    if place not in sys.path:
        sys.path.append(place)
    return task(job)

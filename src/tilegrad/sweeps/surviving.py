"""Launching jobs so that the crash of one leaves the others alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from omegaconf import DictConfig, open_dict

from tilegrad.sweeps.record import (
    COMPLETE,
    FAILED,
    FILE,
    JobRecord,
    job_directory,
    new_record,
    read_record,
)


class Surviving:
    """A launcher around another one.

    Where a worker dies, most launchers give up the whole batch. The jobs that have not ended are
    then launched again, each alone (a training goes on where it stopped); one that ends its
    process again has failed.
    """

    def __init__(self, launcher: Launcher, context: HydraContext, config: DictConfig) -> None:
        self._launcher = launcher
        self._context = context
        self._config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs; return what each returned, None where it failed."""
        jobs = [
            self._composed(overrides, initial_job_idx + place)
            for place, overrides in enumerate(job_overrides)
        ]
        try:
            return self._launcher.launch(job_overrides, initial_job_idx=initial_job_idx)
        except Exception as error:
            if not any((job_directory(job) / FILE).exists() for job in jobs):
                # Not a job's fault: none was begun.
                raise
            if len(jobs) == 1:
                return [_crashed(jobs[0], error)]
        returned: list[JobReturn] = []
        for place, (overrides, job) in enumerate(zip(job_overrides, jobs, strict=True)):
            record = read_record(job_directory(job))
            if record is not None and record.status in (COMPLETE, FAILED):
                returned.append(_returned(record))
            else:
                returned += self.launch([overrides], initial_job_idx + place)
        return returned

    def _composed(self, overrides: Sequence[str], number: int) -> DictConfig:
        loader = self._context.config_loader
        job = loader.load_sweep_config(self._config, list(overrides))
        with open_dict(job):
            job.hydra.job.num = number
        return job


def _crashed(job: DictConfig, error: Exception) -> JobReturn:
    """Note that a job's process ended in it; return what stands for its value."""
    directory = job_directory(job)
    record = read_record(directory) or new_record(job)
    first = (str(error).splitlines() or [""])[0]
    record = record.failed(f"its process ended: {type(error).__name__}: {first}")
    record.write(directory)
    return _returned(record)


def _returned(record: JobRecord) -> JobReturn:
    found = JobReturn(overrides=record.overrides, status=JobStatus.COMPLETED)
    found.return_value = record.value
    return found


def forget_records(directory: Path) -> None:
    """Remove the records of the jobs that an earlier sweep left in a directory."""
    for path in directory.rglob(FILE):
        path.unlink(missing_ok=True)

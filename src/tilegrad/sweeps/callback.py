"""Hydra's callback of all entry scripts: records of the jobs, the summary of the sweep."""

from __future__ import annotations

import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig

from tilegrad.complaints import describe
from tilegrad.entry import BAD_INPUT_ERRORS, RefusedError
from tilegrad.files import write_text
from tilegrad.fingerprint.claim import job_fingerprint
from tilegrad.sweeps.record import COMPLETE, RUNNING, job_directory, new_record, read_record

TRACEBACK = "error.txt"


class SweepCallback(Callback):
    """Writes ``job.json`` for each job of a sweep, and the summary when all have ended."""

    def on_job_start(self, config: DictConfig, **_: Any) -> None:
        """Note that the job has begun, in the process that runs it."""
        if config.hydra.mode != RunMode.MULTIRUN:
            return
        directory, record = job_directory(config), new_record(config)
        before = read_record(directory)
        unended = before.attempts if before is not None and before.status == RUNNING else 0
        read = job_fingerprint(config).parts
        replace(record, attempts=unended + 1, fingerprint=read).write(directory)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **_: Any) -> None:
        """Note how the job ended.

        A failure stays in the record: Hydra would end the whole sweep at it, and not every
        exception survives the way out of a worker's process.
        """
        if config.hydra.mode != RunMode.MULTIRUN:
            return
        directory = job_directory(config)
        record = read_record(directory) or new_record(config)
        if job_return.status == JobStatus.COMPLETED:
            record.completed(job_return.return_value).write(directory)
            return
        record = record.failed(self._error(job_return, directory))
        record.write(directory)
        print(f"job {record.number} failed: {record.error}", file=sys.stderr)
        job_return.status, job_return.return_value = JobStatus.COMPLETED, None

    def _error(self, job_return: JobReturn, directory: Path) -> str:
        """Return the failure in a paragraph; leave the traceback of what is not bad input."""
        # The property would print what is no use to our users, and raise.
        error = job_return._return_value
        if isinstance(error, BAD_INPUT_ERRORS):
            return describe(error)
        write_text(directory / TRACEBACK, "".join(traceback.format_exception(error)))
        return f"{type(error).__name__}: {describe(error)} (all of it: {TRACEBACK})"

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Write the summary; end with exit code 2 where jobs failed and no search chose them."""
        # Hydra imports this module at every start, and what a summary needs takes seconds.
        from rich.console import Console

        from tilegrad.sweeps.summary import Sweep, failure, summarise

        sweep = Sweep.read(Path(str(config.hydra.sweep.dir)), str(config.optimized_metric))
        summarise(sweep, Console(quiet=not config.progress))
        failed = sweep.failed
        searched = "trials" in config.hydra.sweeper
        if not failed or (searched and any(r.status == COMPLETE for r in sweep.records)):
            return
        raise RefusedError(
            f"{len(failed)} of {len(sweep.records)} jobs failed; job {failure(sweep, failed[0])}"
        )

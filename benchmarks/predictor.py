"""Speed of the packaged checkpoint, from mappings to cycles: ``python benchmarks/predictor.py``.

Prints a table and asserts nothing. ``prediction`` is features and predictor; ``with the nest`` adds
the footprint, so energy too; ``gradient`` is forward and backward to the mappings' factors. Threads
share the work as they do in a search.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial

import torch
from rich.console import Console
from rich.table import Table
from timing import median_times
from torch import Tensor

from tilegrad.accelerator import Accelerator, load_accelerator
from tilegrad.cost.footprint import Footprint
from tilegrad.cost.latency import model_footprint
from tilegrad.mapping import LoopNest
from tilegrad.mapping.sampling import Sampler
from tilegrad.predictors.latency import PredictedLatency, predicted_latency
from tilegrad.pretrained import checkpoint_path
from tilegrad.workload import Problem, load_workload

CKPT = "gemmini_rtl"
HARDWARE = {"pe_dim": 16.0, "scratchpad_kb": 128.0, "accumulator_kb": 32.0}


@dataclass(frozen=True)
class Job:
    """Random mappings of one layer, to be priced by a checkpoint."""

    model: PredictedLatency
    accelerator: Accelerator
    layer: Problem
    nests: LoopNest

    def sizes(self) -> tuple[Tensor, Tensor]:
        """Return the layer's bounds ``[1, dim]`` and strides ``[1, 4]``."""
        bounds, strides = (
            torch.tensor([sizes], dtype=torch.float64)
            for sizes in (self.layer.bounds, self.layer.strides)
        )
        return bounds, strides

    @torch.no_grad()
    def prediction(self) -> Tensor:
        """Return the log cycles of the mappings ``[row, 1]``."""
        return self._log_cycles()

    def _log_cycles(self) -> Tensor:
        features, (bounds, strides) = self.model.features, self.sizes()
        context = features.context(self.nests, bounds, strides, self.accelerator)
        nothing = Footprint(*(context[..., :0] for _ in fields(Footprint)))
        return self.model.predictor(features.columns(nothing, context, self.accelerator, HARDWARE))

    @torch.no_grad()
    def with_the_nest(self) -> Tensor:
        """Return the cycles to be minimised, and count what energy needs."""
        sums = model_footprint(self.model, self.nests, *self.sizes(), self.accelerator)
        return self.model.cycles(sums, self.accelerator, HARDWARE)

    def gradient(self) -> Tensor:
        """Return the slope of the predictions in the temporal factors."""
        temporal = self.nests.temporal.clone().requires_grad_()
        relaxed = replace(self, nests=replace(self.nests, temporal=temporal))
        (found,) = torch.autograd.grad(relaxed._log_cycles().sum(), temporal)
        return found


WORKS: dict[str, Callable[[Job], Tensor]] = {
    "prediction": Job.prediction,
    "with the nest": Job.with_the_nest,
    "gradient": Job.gradient,
}


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--workload", default="resnet50")
    parser.add_argument("--mappings", type=int, default=4096, help="mappings of each layer")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=5, help="the median is printed")
    options = parser.parse_args()
    torch.set_num_threads(1)
    jobs = random_jobs(options.workload, options.mappings)
    table = Table("what", "mappings/s", "per CPU s", title=f"{CKPT}, {options.threads} threads")
    mappings = options.mappings * len(jobs)
    with ThreadPoolExecutor(options.threads) as threads:
        for name, work in WORKS.items():
            times = median_times(partial(finish, threads, work, jobs), options.repeats)
            table.add_row(name, *(f"{mappings / seconds:,.0f}" for seconds in times))
    Console().print(table)


def finish(threads: Executor, work: Callable[[Job], Tensor], jobs: Sequence[Job]) -> None:
    """Do the work of all jobs."""
    for _ in threads.map(work, jobs):
        pass


def random_jobs(workload: str, mappings: int) -> list[Job]:
    """Return a job of random mappings for every layer of a packaged network."""
    accelerator = load_accelerator("gemmini")
    model = predicted_latency(checkpoint_path(CKPT), CKPT, accelerator, penalty=0.0)
    random = torch.Generator().manual_seed(0)
    meshes = {"pe_dim": HARDWARE["pe_dim"]}
    return [
        Job(model, accelerator, layer, Sampler(accelerator, layer, meshes).draw(mappings, random))
        for layer in load_workload(workload).layers
    ]


if __name__ == "__main__":
    main()

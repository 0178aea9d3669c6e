"""Speed and memory of simulated schedules: ``python benchmarks/schedules.py``.

Makes a warm-up, then a new set in an empty cache, then loads it again; prints rows per second and
the peak of the process's memory, and asserts nothing. A set's time holds everything: drawing,
labelling, filing and reading into tensors; ``labelled`` is drawing and labelling alone.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import torch
from rich.console import Console
from rich.table import Table
from timing import Times, medians, timed

from tilegrad.accelerator import load_accelerator
from tilegrad.schedules import SimulatedSchedules
from tilegrad.workload import load_workload


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--accelerator", default="gemmini", help="packaged name or YAML file")
    parser.add_argument("--workload", default="resnet50", help="packaged network")
    parser.add_argument("--machines", type=int, default=2048)
    parser.add_argument("--each", type=int, default=10, help="schedules per layer and machine")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--repeats", type=int, default=3, help="the median is printed")
    options = parser.parse_args()
    times: dict[str, list[Times]] = {}
    for repeat in range(options.repeats + 1):
        with tempfile.TemporaryDirectory() as cache:
            source = SimulatedSchedules(
                load_accelerator(options.accelerator),
                load_workload(options.workload),
                machines=options.machines,
                each=options.each,
                seed=repeat,
                cache=cache,
                workers=options.threads,
            )
            measured = {"labelled": timed(partial(label, source, options.threads))}
            measured["made, filed and loaded"] = timed(source.load)
            measured["loaded from the cache"] = timed(source.load)
        if repeat:
            for name, found in measured.items():
                times.setdefault(name, []).append(found)
    print_times(times, len(source), options.threads)


def label(source: SimulatedSchedules, threads: int) -> None:
    """Draw and label all shards."""
    torch.set_num_threads(1)
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(source.make, range(source.shards)):
            pass


def print_times(times: dict[str, list[Times]], rows: int, threads: int) -> None:
    """Print one line per step, and the peak of memory."""
    table = Table(title=f"{rows:,} schedules, {threads} threads")
    for heading in ("step", "seconds", "rows/s", "processor seconds"):
        table.add_column(heading, justify="left" if heading == "step" else "right")
    for name, pairs in times.items():
        wall, processor = medians(pairs)
        table.add_row(name, f"{wall:.2f}", f"{rows / wall:,.0f}", f"{processor:.2f}")
    console = Console()
    console.print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    console.print(f"peak memory: {peak:.2f} GiB")


if __name__ == "__main__":
    main()

"""Speed of exact evaluation and of gradient steps: ``python benchmarks/throughput.py``.

Prints a table and asserts nothing. Threads share the work as they do in a search: one per
processor, each running single-threaded tensor operations. Beside wall time it gives processor
time, which other programs on the machine disturb less: mappings per second of one processor.
"""

from __future__ import annotations

import argparse
import os
import resource
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from rich.console import Console
from rich.table import Table
from timing import median_times

from tilegrad.accelerator import Accelerator, load_accelerator
from tilegrad.cost import infer_hardware, layer_cost
from tilegrad.mapping import LoopNest
from tilegrad.mapping.sampling import Sampler
from tilegrad.memory import keep_freed_memory
from tilegrad.nest import analyse, fused
from tilegrad.search import Budget, SearchProblem, generator, hardware_space, objective
from tilegrad.search.gradient.descent import Descent
from tilegrad.search.gradient.optimiser import Momentum, Stop
from tilegrad.search.gradient.relaxed import RelaxedProblem
from tilegrad.workload import Problem, Workload, load_workload

MESH = {"pe_dim": 128.0}
LAYER_COUNTS = (25, 100, 250, 500, 1000)


@dataclass(frozen=True)
class Row:
    """One line of the table: what was done, to how many mappings, in what time [s]."""

    name: str
    mappings: int
    seconds: float
    cpu_seconds: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--accelerator", default="gemmini", help="packaged name or YAML file")
    parser.add_argument("--workload", default="resnet50", help="packaged network")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--repeats", type=int, default=5, help="the median is printed")
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    accelerator = load_accelerator(options.accelerator)
    workload = load_workload(options.workload)
    console = Console()
    columns = ("what", "mappings", "seconds", "mappings/s", "per CPU s", "peak MB")
    table = Table(*columns, title=_title(options))
    with ThreadPoolExecutor(options.threads) as threads:
        rows = [
            exact_evaluation(accelerator, workload, threads, options),
            *(
                gradient_step(accelerator, workload, layers, threads, options)
                for layers in LAYER_COUNTS
            ),
        ]
        for row in rows:
            table.add_row(
                row.name,
                f"{row.mappings:,}",
                f"{row.seconds:.3f}",
                f"{row.mappings / row.seconds:,.0f}",
                f"{row.mappings / row.cpu_seconds:,.0f}",
                f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f}",
            )
    console.print(table)


def _title(options: argparse.Namespace) -> str:
    where = options.device if options.device == "cuda" else f"{options.threads} threads"
    return f"{options.workload} on {options.accelerator}, {where}"


def exact_evaluation(
    accelerator: Accelerator,
    workload: Workload,
    threads: ThreadPoolExecutor,
    options: argparse.Namespace,
) -> Row:
    """Time counts, cycles and energy of random integer mappings with random loop orders.

    On a processor in machine code, as in a search once it has analysed many mappings.
    """
    fused.prepare()
    count = 16_384
    device = torch.device(options.device)
    batches = [
        (
            Sampler(accelerator, layer, MESH)
            .draw(count, generator(0, index))
            .each(lambda tensor: tensor.to(device)),
            strides.to(device),
        )
        for index, (layer, strides) in enumerate(
            zip(workload.layers, workload.strides, strict=True)
        )
    ]

    def evaluate(batch: tuple[LoopNest, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        nest = analyse(batch[0], batch[1], accelerator)
        hardware = infer_hardware(accelerator, nest, {})
        cost = layer_cost(nest, accelerator, hardware)
        return cost.cycles, cost.energy_pj

    times = median_times(
        lambda: waited(list(threads.map(evaluate, batches)), device), options.repeats
    )
    return Row("exact evaluation", count * len(batches), *times)


def gradient_step(
    accelerator: Accelerator,
    workload: Workload,
    layers: int,
    threads: ThreadPoolExecutor,
    options: argparse.Namespace,
) -> Row:
    """Time forward and backward of one descent step over ``layers`` distinct layers.

    On a processor in machine code, as in a search once it has descended many mappings.
    """
    varied = _distinct_layers(workload, layers)
    meshes = dict.fromkeys(accelerator.plan().meshes, 128)
    space = hardware_space(accelerator, {}, meshes)
    problem = SearchProblem(varied, space, objective("edp"))
    relaxed = RelaxedProblem.of(problem.tables, varied, space, problem.goal)
    device = torch.device(options.device)
    optimiser = Momentum(steps=100, learning_rate=10.0, momentum=0.8)
    descent = Descent(relaxed.to(device), optimiser)
    for stack in descent.problem.stacks:
        stack.machine.prepare()
    rows = 28_800 if descent.on_cpu else 1_000_000
    starts = max(2, rows // descent.rows_per_start)
    point, one_step = descent.begin(starts, generator(0)).to(device), Stop(1, Budget())
    times = median_times(
        lambda: waited(descent.advance(point, one_step, threads), device), options.repeats
    )
    return Row(f"gradient step, {layers} layers", starts * descent.rows_per_start, *times)


def waited(result: object, device: torch.device) -> object:
    """Return a result once the device has worked it out."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return result


def _distinct_layers(workload: Workload, count: int) -> Workload:
    """Return ``count`` distinct layers: the workload's, again and again with a larger batch."""
    layers: list[Problem] = []
    batch = 0
    while len(layers) < count:
        batch += 1
        for layer in workload.layers[: count - len(layers)]:
            bounds = (*layer.bounds[:-1], layer.bounds[-1] * batch)
            layers.append(Problem(f"{layer.name}x{batch}", bounds, layer.strides))
    return Workload(workload.name, tuple(layers))


if __name__ == "__main__":
    main()

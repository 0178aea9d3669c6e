"""``tilegrad calibrate``: a trained predictor for another machine, from some measurements."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from tilegrad.errors import ConfigError, unknown

if TYPE_CHECKING:
    from tilegrad.accelerator import Accelerator
    from tilegrad.predictors import Predictor

DESCRIPTION = """\
Adapt a checkpoint of model=pipeline to the machine on which a table's programs were measured.

The table has the columns that tilegrad train data=table reads (tilegrad parse-log makes one of a
simulator's logs). The costs of commands, rows and cache lines are multiplied by factors that the
measurements ask for and that are likely near 1; intervals are scaled by how far predictions are off
for layers left out of the adaptation.

With --plan N and no table, write the N programs that are worth measuring first.
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "table", metavar="TABLE", type=Path, nargs="?", help="measurements: .csv or .parquet"
    )
    parser.add_argument(
        "--ckpt",
        default="gemmini_rtl",
        help="a checkpoint or a packaged one (default: gemmini_rtl)",
    )
    parser.add_argument(
        "--accelerator", default="gemmini", help="a name or YAML file (default: gemmini)"
    )
    parser.add_argument(
        "--machine",
        nargs="+",
        default=[],
        metavar="FACT=NUMBER",
        help="of the machine, over accelerator.machine: memory_latency=40 warm=0",
    )
    parser.add_argument(
        "--plan", type=int, metavar="N", help="write the programs to measure first, no table"
    )
    parser.add_argument(
        "--workload",
        default="resnet50",
        help="whose layers a plan is made of: a network or layer table (default: resnet50)",
    )
    parser.add_argument(
        "--hardware",
        nargs="+",
        default=[],
        metavar="SIZE=NUMBER",
        help="sizes of a plan's Gemmini, as hardware.* (default: the template's own)",
    )
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="PATH",
        help="the adapted checkpoint, or the directory of a plan's programs",
    )


def run(arguments: Namespace) -> None:
    """Write the adapted checkpoint, and print how far predictions were off; or write a plan."""
    from dataclasses import replace

    from tilegrad.accelerator import load_accelerator
    from tilegrad.predictors.checkpoint import load_predictor
    from tilegrad.pretrained import checkpoint_path

    accelerator = load_accelerator(arguments.accelerator)
    facts = _numbers("--machine", arguments.machine)
    accelerator = replace(accelerator, machine={**accelerator.machine, **facts})
    predictor = load_predictor(checkpoint_path(arguments.ckpt), accelerator)
    if (arguments.table is None) == (arguments.plan is None):
        given = "neither" if arguments.plan is None else "both"
        raise ConfigError(f"TABLE and --plan: {given} given; legal: one of the two")
    if arguments.plan is None:
        _calibrate(arguments, predictor, accelerator)
    else:
        _plan(arguments, predictor, accelerator)


def _calibrate(arguments: Namespace, predictor: Predictor, accelerator: Accelerator) -> None:
    from tilegrad.files import check_writable, make_directory
    from tilegrad.predictors.checkpoint import save_predictor
    from tilegrad.training.calibration import calibrated

    check_writable("--out", arguments.out.parent)
    found, rows, layers = calibrated(predictor, arguments.table, accelerator)
    make_directory("--out", arguments.out.parent)
    save_predictor(found.predictor, arguments.out)
    print(
        f"{rows} measurements of {layers} layers: mean error {100 * found.before:.1f} % before, "
        f"{100 * found.after:.1f} % after, on layers left out; written to {arguments.out}"
    )


def _plan(arguments: Namespace, predictor: Predictor, accelerator: Accelerator) -> None:
    from tilegrad.checks import positive_int
    from tilegrad.files import make_directory
    from tilegrad.search.limits import hardware_space
    from tilegrad.targets.gemmini.plan import Plan, write_plan
    from tilegrad.training.calibration import adaptable
    from tilegrad.workload import load_workload

    positive_int("--plan", arguments.plan)
    given = _numbers("--hardware", arguments.hardware)
    sizes = accelerator.defaults
    for name in given:
        if name not in sizes:
            raise ConfigError(unknown("hardware parameter", name, sizes, "--hardware"))
    hardware = hardware_space(accelerator, {**sizes, **given}, {}).fixed
    is_file = Path(arguments.workload).suffix != ""
    workload = (
        load_workload(path=arguments.workload) if is_file else load_workload(arguments.workload)
    )
    plan = Plan(arguments.plan, workload, hardware)
    make_directory("--out", arguments.out)
    written = write_plan(adaptable(predictor), plan, accelerator, arguments.out)
    for note in written.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"{len(written.programs)} programs written to {arguments.out}")


def _numbers(option: str, given: list[str]) -> dict[str, float]:
    found = {}
    for text in given:
        name, _, value = text.partition("=")
        try:
            found[name] = float(value)
        except ValueError:
            raise ConfigError(f"{option} {text!r}; legal: NAME=NUMBER") from None
    return found

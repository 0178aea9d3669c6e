"""``tilegrad parse-log``: simulators' logs as a table of measurements."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

DESCRIPTION = """\
Read the cycles that the programs of tilegrad export --target gemmini printed in a simulator.

Each program becomes a row with the columns that tilegrad evaluate and tilegrad train data=table
read: mapping.mapping, prob.R ... prob.Hdilation, the hardware parameters and target.cycle, those of
its last execution, which found warm caches. A program that computed a wrong result is refused.
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "logs", metavar="LOG", type=Path, nargs="+", help="what a simulator printed"
    )
    parser.add_argument(
        "--accelerator", default="gemmini", help="a name or YAML file (default: gemmini)"
    )
    parser.add_argument(
        "--execution",
        default="warm",
        metavar="WHICH",
        help="whose cycles: warm (the last, default), cold (the first) or all (a row for each)",
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="FILE", help="a .csv or .parquet file"
    )


def run(arguments: Namespace) -> None:
    """Write the measurements that the logs hold, and print how many."""
    from tilegrad.accelerator import load_accelerator
    from tilegrad.targets.gemmini import parse_logs

    accelerator = load_accelerator(arguments.accelerator)
    rows = parse_logs(arguments.logs, accelerator, arguments.out, arguments.execution)
    print(f"{rows} measurements written to {arguments.out}")

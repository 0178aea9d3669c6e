"""``tilegrad evaluate``: cycles and energy of every row of a table of mappings."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

DESCRIPTION = """\
Compute cycles, energy (uJ) and EDP (uJ*cycles) of every row of a table of mappings.

The table (.csv, .csv.gz, .csv.tar.gz or .parquet) has the columns of the public Timeloop dataset:
mapping.mapping (the shorthand), prob.R ... prob.N, prob.Wstride ... prob.Hdilation, and the
hardware: a column named like each hardware parameter of the accelerator, or the columns that the
accelerator's 'table' section names. With target.cycle, target.energy (uJ) or target.edp
(uJ*cycles / 1e6) it also reports the relative errors. Rows are numbered from 1.

The figures are those of the loop-nest analysis. A trained predictor is tested on rows by another
command, tilegrad eval (eval.py).
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("table", metavar="TABLE", type=Path, help="the table to evaluate")
    parser.add_argument(
        "--accelerator", required=True, help="a packaged name (gemmini) or the path of a YAML file"
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="FILE.parquet", help="where the results go"
    )
    parser.add_argument(
        "--skip-invalid",
        action="store_true",
        help="leave out rows that are illegal or do not fit, and report how many (default: refuse)",
    )


def run(arguments: Namespace) -> None:
    """Evaluate the table, print a summary."""
    from rich.console import Console

    from tilegrad.accelerator import load_accelerator
    from tilegrad.evaluate import evaluate_table
    from tilegrad.evaluate.report import print_summary
    from tilegrad.tables.progress import progress_bar

    accelerator = load_accelerator(arguments.accelerator)
    with progress_bar(Console(stderr=True), arguments.table.name) as progress:
        summary = evaluate_table(
            arguments.table,
            accelerator,
            arguments.out,
            skip_invalid=arguments.skip_invalid,
            progress=progress,
        )
    print_summary(summary, Console())
    print(f"results: {arguments.out}")

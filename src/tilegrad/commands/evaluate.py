"""``tilegrad evaluate``: cycles and energy of every row of a table of mappings."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tilegrad.evaluate import Summary

DESCRIPTION = """\
Compute cycles, energy (uJ) and EDP (uJ*cycles) of every row of a table of mappings.

The table (.csv, .csv.gz, .csv.tar.gz or .parquet) has the columns of the public Timeloop dataset:
mapping.mapping (the shorthand), prob.R ... prob.N, prob.Wstride ... prob.Hdilation, and the
hardware: a column named like each hardware parameter of the accelerator, or the columns that the
accelerator's 'table' section names. With target.cycle, target.energy (uJ) or target.edp
(uJ*cycles / 1e6) it also reports the relative errors, and draws them (--picture). Rows are numbered
from 1. The dataset itself goes by its name, timeloop_dosa, and is fetched where it is not here.

The figures are those of the loop-nest analysis. A trained predictor is tested on rows by another
command, tilegrad eval (eval.py).
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("table", metavar="TABLE", help="the table: a file or timeloop_dosa")
    parser.add_argument(
        "--accelerator", required=True, help="a packaged name (gemmini) or the path of a YAML file"
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="FILE.parquet", help="where the results go"
    )
    parser.add_argument(
        "--picture",
        type=_png,
        metavar="FILE.png",
        help="draw values against the references and the errors' distribution",
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
    from tilegrad.evaluate.located import located_table
    from tilegrad.evaluate.report import print_summary
    from tilegrad.tables.progress import progress_bar

    accelerator = load_accelerator(arguments.accelerator)
    table = located_table(arguments.table)
    with progress_bar(Console(stderr=True), table.name) as progress:
        summary = evaluate_table(
            table,
            accelerator,
            arguments.out,
            skip_invalid=arguments.skip_invalid,
            progress=progress,
        )
    print_summary(summary, Console())
    print(f"results: {arguments.out}")
    if arguments.picture:
        _draw(arguments.out, summary, arguments.picture)


def _png(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() != ".png":
        raise ArgumentTypeError(f"{text!r} is no picture (legal: a name that ends in .png)")
    return path


def _draw(results: Path, summary: Summary, picture: Path) -> None:
    from tilegrad.files import make_directory, write_bytes
    from tilegrad.report.agreement import agreement
    from tilegrad.report.theme import png_bytes
    from tilegrad.tables.table_layout import QUANTITIES

    accuracy = {name: found for name, found in summary.accuracy.items() if found.count}
    if not accuracy:
        names = ", ".join(each.reference for each in QUANTITIES)
        print(f"no picture: the table has no figures to compare with (any of {names})")
        return
    make_directory("--picture", picture.parent)
    write_bytes(picture, png_bytes(agreement(results, accuracy)))
    print(f"picture: {picture}")

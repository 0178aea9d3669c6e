"""The command ``tilegrad``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tilegrad import __version__
from tilegrad.errors import ConfigError, TilegradError

ILLEGAL = 2
INTERRUPTED = 130

_EVALUATE = """\
Compute cycles, energy (uJ) and EDP (uJ*cycles) of every row of a table of mappings.

The table (.csv, .csv.gz, .csv.tar.gz or .parquet) has the columns of the public Timeloop dataset:
mapping.mapping (the shorthand), prob.R ... prob.N, prob.Wstride ... prob.Hdilation, and the
hardware: a column named like each hardware parameter of the accelerator, or the columns that the
accelerator's 'table' section names. With target.cycle, target.energy (uJ) or target.edp
(uJ*cycles / 1e6) it also reports the relative errors. Rows are numbered from 1.
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors read like all others."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message} (see {self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, 2 for bad input or 130 when interrupted.

    Bad input is reported on stderr in one paragraph that begins with ``error:``.
    """
    try:
        arguments = _parser().parse_args(argv)
        _evaluate(arguments)
    except TilegradError as error:
        print("error:", *str(error).splitlines(), file=sys.stderr)
        return ILLEGAL
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="tilegrad", description="Co-design of DNN accelerators and mappings.")
    parser.add_argument("--version", action="version", version=f"tilegrad {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    evaluate = commands.add_parser(
        "evaluate",
        help="cycles and energy of every row of a table of mappings",
        description=_EVALUATE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    evaluate.add_argument("table", metavar="TABLE", type=Path, help="the table to evaluate")
    evaluate.add_argument(
        "--accelerator", required=True, help="a packaged name (gemmini) or the path of a YAML file"
    )
    evaluate.add_argument(
        "--out", required=True, type=Path, metavar="FILE.parquet", help="where the results go"
    )
    evaluate.add_argument(
        "--skip-invalid",
        action="store_true",
        help="leave out rows that are illegal or do not fit, and report how many (default: refuse)",
    )
    return parser


def _evaluate(arguments: argparse.Namespace) -> None:
    # Imported here: torch takes seconds to load, and --help should not wait for it.
    from rich.console import Console

    from tilegrad.accelerator import load_accelerator
    from tilegrad.evaluate import evaluate_table
    from tilegrad.evaluate.report import print_summary, progress_bar

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


if __name__ == "__main__":
    sys.exit(main())

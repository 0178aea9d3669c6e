"""``tilegrad verify``: a search's result and its certificate, checked by code of their own."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from tilegrad.checks import positive_int

DESCRIPTION = "Check a search's result, and what its certificate proves, by independent code."


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("directory", metavar="RUN", type=Path, help="the run's directory")
    parser.add_argument(
        "--sample",
        type=int,
        metavar="N",
        help="recompute the bounds of N cells or layers (default: all)",
    )
    parser.add_argument("--seed", type=int, default=0, help="which cells are drawn")


def run(arguments: Namespace) -> None:
    """Check, and print what is proven."""
    from tilegrad.verify import verify

    if arguments.sample is not None:
        positive_int("--sample", arguments.sample)
    print(verify(arguments.directory, arguments.sample, arguments.seed))

"""``tilegrad import``: another tool's files as accelerator and layer."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

DESCRIPTION = "Read a Timeloop architecture, problem and mapping as accelerator, layer and nest."


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("architecture", type=Path, help="a Timeloop architecture (0.3 or 0.4)")
    parser.add_argument("--problem", type=Path, help="a Timeloop problem")
    parser.add_argument("--mapping", type=Path, help="a Timeloop mapping of that architecture")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="where files go")


def run(arguments: Namespace) -> None:
    """Import, and print what is not represented."""
    from tilegrad.targets.timeloop import import_files

    files = (arguments.problem, arguments.mapping, arguments.out)
    for line in import_files(arguments.architecture, *files):
        print(f"not represented: {line}", file=sys.stderr)
    print(f"written to {arguments.out}")

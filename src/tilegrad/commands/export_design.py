"""``tilegrad export``: a search's design as another tool's input."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from tilegrad.errors import ConfigError

DESCRIPTION = "Write the design that a search found as another tool's input."


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("result", metavar="RESULT", type=Path, help="result.json or its directory")
    parser.add_argument(
        "--target", required=True, choices=["timeloop", "gemmini"], help="the other tool"
    )
    parser.add_argument("--dialect", help="Timeloop's version: 0.3 (default) or 0.4")
    parser.add_argument(
        "--accelerator", help="a name or YAML file (default: the one the result was found on)"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="where the files go")


def run(arguments: Namespace) -> None:
    """Export, and print how many layers were written and what the tool cannot represent."""
    from tilegrad.accelerator import load_accelerator
    from tilegrad.targets.design import result_accelerator

    result, out, name = arguments.result, arguments.out, arguments.accelerator
    accelerator = load_accelerator(name) if name else result_accelerator(result)
    if arguments.target == "timeloop":
        from tilegrad.targets.timeloop import export_result

        layers = export_result(result, accelerator, arguments.dialect or "0.3", out)
        print(f"{len(layers)} layers written to {out}")
        return
    from tilegrad.targets.gemmini import export_gemmini

    if arguments.dialect:
        raise ConfigError(f"--dialect {arguments.dialect} is Timeloop's; leave it out for gemmini")
    exported = export_gemmini(result, accelerator, out)
    for note in exported.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"{len(exported.programs)} layers written to {out}")

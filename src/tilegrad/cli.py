"""The command ``tilegrad``: ``tilegrad COMMAND ...``."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from tilegrad import __version__
from tilegrad.errors import ConfigError, TilegradError, nearest, unknown
from tilegrad.lasting import import_lasting

ILLEGAL = 2
INTERRUPTED = 130

CONFIGURED = {
    "search": "co-search an accelerator's hardware and a network's mappings",
    "train": "train and test a predictor of latency, energy or EDP",
    "eval": "test a trained predictor on other data (mappings by the analysis: evaluate)",
    "compare": "designs against each other, each searched on each network",
}
"""Commands that Hydra configures: what they are for."""

PLAIN = {
    "evaluate": (
        "evaluate",
        "cycles and energy of a table of mappings, by the analysis (predictors: eval)",
    ),
    "schedules": ("schedules", "schedules to learn from: make, read, draw, export"),
    "verify": ("verify", "a search's result and what its certificate proves, checked anew"),
    "export": ("export_design", "a search's design as another tool's input"),
    "import": ("import_files", "another tool's files as accelerator and layer"),
    "calibrate": ("calibrate", "a trained predictor for another machine"),
    "parse-log": ("parse_log", "simulators' logs as a table of measurements"),
}
"""The other commands: their module in ``tilegrad.commands``, what they are for."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors read like all others."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{self._told(message)} (see {self.prog} --help)")

    def _told(self, message: str) -> str:
        """Return argparse's words with what is legal, and the nearest, where it leaves that out."""
        if found := re.match(r"unrecognized arguments: (-[^\s=]+)", message):
            options = [name for each in self._actions for name in each.option_strings]
            return unknown("option", found[1], options)
        if found := re.match(r"argument (\S+): invalid choice: '(.*?)' ", message):
            (choices,) = (each.choices for each in self._actions if found[1] in each.option_strings)
            return f"{found[1]} is {found[2]!r}; {nearest(found[2], choices or ())}"
        if found := re.match(r"argument (\S+): invalid int value: ('.*')", message):
            return f"{found[1]} is {found[2]}; legal: an integer"
        return message


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, 2 for bad input or 130 when interrupted.

    Bad input is reported on stderr in one paragraph that begins with ``error:``.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in CONFIGURED:
        from tilegrad.application import run

        return run(arguments[0], arguments[1:], program=f"tilegrad {arguments[0]}")
    try:
        _plain(arguments)
    except TilegradError as error:
        print("error:", *str(error).splitlines(), file=sys.stderr)
        return ILLEGAL
    except OSError as error:
        # Inputs that cannot be read are refused where they are read: this is an output.
        print(f"error: {error.filename}: cannot be written ({error.strerror})", file=sys.stderr)
        return ILLEGAL
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED
    return 0


def _plain(arguments: Sequence[str]) -> None:
    """Run a plain command, or say which commands there are."""
    if not arguments or arguments[0] not in PLAIN:
        named, _ = _overview().parse_known_args(arguments)
        raise ConfigError(unknown("command", named.command, (*CONFIGURED, *PLAIN)))
    chosen = _command(arguments[0]).parse_args(arguments[1:])
    chosen.run(chosen)


def _command(name: str) -> argparse.ArgumentParser:
    """Return the parser of one plain command."""
    module = import_lasting(f"tilegrad.commands.{PLAIN[name][0]}")
    parser = _Parser(
        prog=f"tilegrad {name}",
        description=module.DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    parser.set_defaults(run=module.run)
    return parser


def _overview() -> argparse.ArgumentParser:
    """Return the parser of what names no command: help that lists them all, and the version."""
    purposes = CONFIGURED | {name: purpose for name, (_, purpose) in PLAIN.items()}
    listing = "\n".join(f"  {name:10} {purpose}" for name, purpose in purposes.items())
    parser = _Parser(
        prog="tilegrad",
        usage="tilegrad COMMAND ...",
        description="Co-design of DNN accelerators and mappings.",
        epilog=f"commands (tilegrad COMMAND --help says what one takes):\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tilegrad {__version__}")
    parser.add_argument("command", metavar="COMMAND", help="one of those below")
    return parser


if __name__ == "__main__":
    sys.exit(main())

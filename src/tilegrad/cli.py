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


_PARSE_LOG = """\
Read the cycles that the programs of tilegrad export --target gemmini printed in a simulator.

Each execution becomes a row with the columns that tilegrad evaluate and train.py data=table read:
mapping.mapping, prob.R ... prob.Hdilation, the hardware parameters and target.cycle.
"""

_SCHEDULES = """\
Make or read the schedules of a data source, say what is in them, draw and export them.

OVERRIDES are those of train.py without the leading 'data.': accelerator=..., workload=...,
source=schedules|timeloop_dosa|gemmini_rtl|table, source.machines=100, source.path=FILE.
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
        arguments.run(arguments)
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
    evaluate.set_defaults(run=_evaluate)
    _add_schedules(
        commands.add_parser(
            "schedules",
            help="schedules to learn from: make, read, draw, export",
            description=_SCHEDULES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    _add_export(commands.add_parser("export", help="a search's design as another tool's input"))
    _add_import(commands.add_parser("import", help="another tool's files as accelerator and layer"))
    _add_parse_log(
        commands.add_parser(
            "parse-log",
            help="simulators' logs as a table of measurements",
            description=_PARSE_LOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    return parser


def _add_schedules(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "overrides", nargs="*", metavar="OVERRIDES", help="field=value, group=option"
    )
    command.add_argument("--preview", type=Path, metavar="FILE.png", help="where a picture goes")
    command.add_argument(
        "--out", type=Path, metavar="FILE.parquet", help="where the rows go, as evaluate reads them"
    )
    command.set_defaults(run=_schedules)


def _schedules(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from tilegrad.checks import no_searched_hardware
    from tilegrad.entry import instantiated
    from tilegrad.schedules import load_shown
    from tilegrad.schedules.export import export_schedules
    from tilegrad.schedules.preview import save_preview

    if arguments.preview and arguments.preview.suffix.lower() != ".png":
        raise ConfigError(f"--preview is {str(arguments.preview)!r}; legal: a name ending in .png")
    no_searched_hardware(arguments.overrides, "source.hardware")
    source = instantiated("schedules", "source", arguments.overrides)
    found = load_shown(source, Console(stderr=True))
    print(
        f"schedules: {len(found):,}, layers: {len(found.layer_names):,}, machines: "
        f"{len(found.machine_names):,}, targets: {', '.join(found.targets)}"
    )
    for finding in found.findings:
        print(finding)
    if arguments.preview:
        save_preview(found, arguments.preview)
        print(f"preview: {arguments.preview}")
    if arguments.out:
        export_schedules(found, arguments.out)
        print(f"rows: {arguments.out}")


def _add_export(export: argparse.ArgumentParser) -> None:
    export.add_argument("result", metavar="RESULT", type=Path, help="result.json or its directory")
    export.add_argument(
        "--target", required=True, choices=["timeloop", "gemmini"], help="the other tool"
    )
    export.add_argument("--dialect", help="Timeloop's version: 0.3 (default) or 0.4")
    export.add_argument(
        "--accelerator", help="a name or YAML file (default: the one the result was found on)"
    )
    export.add_argument("--out", required=True, type=Path, metavar="DIR", help="where the files go")
    export.set_defaults(run=_export)


def _add_import(command: argparse.ArgumentParser) -> None:
    command.add_argument("architecture", type=Path, help="a Timeloop architecture (0.3 or 0.4)")
    command.add_argument("--problem", type=Path, help="a Timeloop problem")
    command.add_argument("--mapping", type=Path, help="a Timeloop mapping of that architecture")
    command.add_argument("--out", required=True, type=Path, metavar="DIR", help="where files go")
    command.set_defaults(run=_import)


def _add_parse_log(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "logs", metavar="LOG", type=Path, nargs="+", help="what a simulator printed"
    )
    command.add_argument(
        "--accelerator", default="gemmini", help="a name or YAML file (default: gemmini)"
    )
    command.add_argument(
        "--out", required=True, type=Path, metavar="FILE", help="a .csv or .parquet file"
    )
    command.set_defaults(run=_parse_log)


def _export(arguments: argparse.Namespace) -> None:
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


def _parse_log(arguments: argparse.Namespace) -> None:
    from tilegrad.accelerator import load_accelerator
    from tilegrad.targets.gemmini import parse_logs

    accelerator = load_accelerator(arguments.accelerator)
    rows = parse_logs(arguments.logs, accelerator, arguments.out)
    print(f"{rows} measurements written to {arguments.out}")


def _import(arguments: argparse.Namespace) -> None:
    from tilegrad.targets.timeloop import import_files

    files = (arguments.problem, arguments.mapping, arguments.out)
    for line in import_files(arguments.architecture, *files):
        print(f"not represented: {line}", file=sys.stderr)
    print(f"written to {arguments.out}")


def _evaluate(arguments: argparse.Namespace) -> None:
    # Imported here: torch takes seconds to load, and --help should not wait for it.
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


if __name__ == "__main__":
    sys.exit(main())

"""``tilegrad schedules``: schedules to learn from: make, read, draw, export."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from tilegrad.errors import ConfigError

DESCRIPTION = """\
Make or read the schedules of a data source, say what is in them, draw and export them.

OVERRIDES are those of tilegrad train without the leading 'data.': accelerator=..., workload=...,
source=schedules|timeloop_dosa|gemmini_rtl|table, source.machines=100, source.path=FILE.
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "overrides", nargs="*", metavar="OVERRIDES", help="field=value, group=option"
    )
    parser.add_argument("--preview", type=Path, metavar="FILE.png", help="where a picture goes")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.parquet", help="where the rows go, as evaluate reads them"
    )


def run(arguments: Namespace) -> None:
    """Load the schedules; print what they are, and draw and write them where asked for."""
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

"""``tilegrad calibrate``: a trained predictor for another machine, from some measurements."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

DESCRIPTION = """\
Adapt a checkpoint of model=pipeline to the machine on which a table's programs were measured.

The table has the columns that tilegrad train data=table reads (tilegrad parse-log makes one of a
simulator's logs). The costs of commands, rows and cache lines are multiplied by factors that the
measurements ask for and that are likely near 1; intervals are scaled by how far predictions are off
for layers left out of the adaptation.
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("table", metavar="TABLE", type=Path, help="measurements: .csv or .parquet")
    parser.add_argument(
        "--ckpt",
        default="gemmini_rtl",
        help="a checkpoint or a packaged one (default: gemmini_rtl)",
    )
    parser.add_argument(
        "--accelerator", default="gemmini", help="a name or YAML file (default: gemmini)"
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="FILE", help="the adapted checkpoint"
    )


def run(arguments: Namespace) -> None:
    """Write the adapted checkpoint, and print how far predictions were off, before and after."""
    from tilegrad.accelerator import load_accelerator
    from tilegrad.files import make_directory
    from tilegrad.predictors.checkpoint import load_predictor, save_predictor
    from tilegrad.pretrained import checkpoint_path
    from tilegrad.training.calibration import calibrated

    accelerator = load_accelerator(arguments.accelerator)
    predictor = load_predictor(checkpoint_path(arguments.ckpt), accelerator)
    found, rows, layers = calibrated(predictor, arguments.table, accelerator)
    make_directory("--out", arguments.out.parent)
    save_predictor(found.predictor, arguments.out)
    print(
        f"{rows} measurements of {layers} layers: mean error {100 * found.before:.1f} % before, "
        f"{100 * found.after:.1f} % after, on layers left out; written to {arguments.out}"
    )

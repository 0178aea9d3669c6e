"""Evaluation of a trained predictor on other data: ``python eval.py --help``."""

from __future__ import annotations

import sys

from tilegrad.application import run

if __name__ == "__main__":
    sys.exit(run("eval", program="python eval.py"))

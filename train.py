"""Training and testing of performance predictors: ``python train.py --help``."""

from __future__ import annotations

import sys

from tilegrad.application import run

if __name__ == "__main__":
    sys.exit(run("train", program="python train.py"))

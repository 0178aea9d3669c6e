"""Training and testing of performance predictors: ``python train.py --help``."""

from __future__ import annotations

import sys

from tilegrad.commands.train import run

if __name__ == "__main__":
    sys.exit(run())

"""Designs against each other, each searched on each network: ``python compare.py --help``."""

from __future__ import annotations

import sys

from tilegrad.application import run

if __name__ == "__main__":
    sys.exit(run("compare", program="python compare.py"))

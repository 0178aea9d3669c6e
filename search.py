"""Co-search of an accelerator's hardware and a network's mappings: ``python search.py --help``."""

from __future__ import annotations

import sys

from tilegrad.application import run

if __name__ == "__main__":
    sys.exit(run("search", program="python search.py"))

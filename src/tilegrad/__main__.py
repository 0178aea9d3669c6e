"""``python -m tilegrad``: the command ``tilegrad``."""

from __future__ import annotations

import sys

from tilegrad.cli import main

sys.exit(main())

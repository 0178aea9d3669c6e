"""``python killed.py COUNT ...`` runs ``search.py ...`` and kills it when it has saved so often."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from tilegrad.application import run
from tilegrad.search import runner


def after_saving(
    replace: Callable[[Any, str, Any], None], count: int, act: Callable[[], object]
) -> None:
    """Have a search save after every unit, and act when it has saved ``count`` times."""
    saved = []

    def save(*arguments: Any) -> None:
        original(*arguments)
        saved.append(arguments)
        if len(saved) == count:
            act()

    original = runner.save_checkpoint
    replace(runner, "save_checkpoint", save)
    replace(runner, "CHECKPOINT_SECONDS", 0)


if __name__ == "__main__":
    after_saving(setattr, int(sys.argv[1]), lambda: os.kill(os.getpid(), signal.SIGKILL))
    sys.exit(run("search", sys.argv[2:]))

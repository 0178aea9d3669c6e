"""How the entry scripts start, and how they end on bad input: one paragraph and exit code 2."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from hydra.errors import HydraException, InstantiationException
from omegaconf.errors import OmegaConfBaseException

from tilegrad.errors import TilegradError, nearest

BAD_INPUT = 2
INTERRUPTED = 130
TABLES = {".csv", ".yaml", ".yml"}


def run_entry(main: Callable[[], object]) -> int:
    """Run a Hydra entry function; return the exit code and print errors without a traceback."""
    # Hydra then raises instead of printing and exiting with 1.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    sys.argv[1:] = [with_table(argument) for argument in sys.argv[1:]]
    try:
        main()
    except KeyboardInterrupt:
        return INTERRUPTED
    except (TilegradError, HydraException, OmegaConfBaseException) as error:
        print(f"error: {describe(error)}", file=sys.stderr)
        return BAD_INPUT
    return 0


def with_table(argument: str) -> str:
    """Turn ``workload=FILE`` into the options that read the file."""
    name, _, value = argument.partition("=")
    if name == "workload" and (Path(value).suffix in TABLES or "/" in value):
        return f"workload={{_target_: tilegrad.workload.load_workload, path: {value}}}"
    return argument


def describe(error: BaseException) -> str:
    """Return one paragraph about an error, with the nearest legal name where one was mistaken."""
    if isinstance(error, InstantiationException) and error.__cause__ is not None:
        return describe(error.__cause__)
    text = " ".join(str(error).split())
    return text + _nearest_option(text)


def _nearest_option(text: str) -> str:
    """Name the nearest of the options that Hydra lists for a config group."""
    found = re.search(r"Could not find '(?:[\w/]*/)?([\w.-]+)' Available options in '[\w/]+': (.*)", text)
    return f" ({nearest(found[1], found[2].split())})" if found else ""

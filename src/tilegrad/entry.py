"""How the entry scripts start, and how they end on bad input: one paragraph and exit code 2."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from tilegrad.checks import CAPPED
from tilegrad.complaints import describe
from tilegrad.errors import ConfigError, Stopped, TilegradError
from tilegrad.files import with_room
from tilegrad.networks_list import is_list, several_overrides
from tilegrad.override_lists import quoted_overrides
from tilegrad.own_files import names_file, own_options
from tilegrad.paths import config_directory
from tilegrad.tables.suffixes import SUFFIXES

BAD_INPUT = 2
INTERRUPTED = 130
TABLES = {".csv", ".yaml", ".yml"}
MODELS = {".onnx": "onnx", ".pt2": "torch"}
"""Files of networks, and the option of ``workload`` that reads them."""

NAMED_BY_USERS = ("workload.symbols.", "workload.arguments.", "workload.weights.")
"""Sections whose fields have no names of ours."""

CAPS = tuple(f"caps.{name}" for name in CAPPED)
"""Fields that no accelerator's config lists."""

FILES = (
    "ckpt", "dir", "workload.path", "workload.model", "data.source.path", "source.path",
    "hydra.sweep.dir", "hydra.run.dir", "accelerator.energy.ert", "accelerator.energy.art",
)  # fmt: skip
"""Fields whose value is a path, which may hold what Hydra's grammar would trip over."""

FUNCTIONS = "choice|range|interval|glob|shuffle|sort|tag|str"
"""Of Hydra's grammar, for sweeps."""

FILE_FIELDS = {"data": "data.source.path", "source": "source.path"}
"""Groups whose option may be a file of measurements, and the field that then names it."""

ANYWHERE = ("hydra/launcher=", "hydra.launcher.", "hydra.sweeper.trials=", "hydra.sweeper.jobs=",
            "hydra.sweeper.max_batch_size=", "progress=")  # fmt: skip
"""Overrides that change how a sweep runs, not what it is."""

BAD_INPUT_ERRORS = (
    TilegradError,
    HydraException,
    OmegaConfBaseException,
    YAMLError,
    UnicodeDecodeError,
)
"""All that is the user's to mend; texts that are decoded outside of tilegrad are config files."""


class RefusedError(BaseException):
    """Bad input that a job found; not an ``Exception``, so Hydra adds no words of its own."""


def run_entry(main: Callable[[], object], sweeps: str | None = None) -> int:
    """Run a Hydra entry function; return the exit code and print errors without a traceback.

    ``sweeps`` is where the directories of sweeps go that are named after their overrides, so that
    the same command goes on; None: Hydra's ``hydra.sweep.dir`` as configured.
    """
    # Hydra then raises instead of printing and exiting with 1.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    try:
        sys.argv[1:] = plain_overrides(sys.argv[1:])
        if sweeps is not None:
            sys.argv[1:] = with_sweep_directory(sys.argv[1:], sweeps)
        with with_room(Path.cwd()):
            main()
    except KeyboardInterrupt as stopped:
        if not isinstance(stopped, Stopped):
            print("interrupted; to go on: the same command, with its dir=", file=sys.stderr)
        return INTERRUPTED
    except RefusedError as refused:
        print(f"error: {refused}", file=sys.stderr)
        return BAD_INPUT
    except BAD_INPUT_ERRORS as error:
        print(f"error: {describe(error)}", file=sys.stderr)
        return BAD_INPUT
    return 0


@contextmanager
def refusals() -> Iterator[None]:
    """End a job on bad input; the other jobs of a sweep still run."""
    try:
        with with_room(Path.cwd()):
            yield
    except BAD_INPUT_ERRORS as error:
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            raise
        raise RefusedError(describe(error)) from error


def instantiated(name: str, node: str, overrides: Sequence[str]) -> Any:
    """Return what a node of the config ``name`` with ``overrides`` describes.

    For commands that are no Hydra application. Raises ``ConfigError`` on a bad config.
    """
    try:
        with initialize_config_dir(str(config_directory()), version_base="1.3"):
            config = compose(name, overrides=plain_overrides(overrides))
        return instantiate(config[node])
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(describe(error)) from error


def plain_overrides(arguments: Sequence[str]) -> list[str]:
    """Return the arguments in Hydra's terms: ``workload=FILE`` chooses the file's reader.

    ``workload=[A,B]`` makes each an option of its own (``networks_list``).
    So do ``data=FILE`` and ``source=FILE``; ``data.path`` is short for ``data.source.path``;
    ``accelerator=FILE.yaml`` makes the file an option of its group (``own_files``).
    """
    plain: list[str] = []
    for argument in (quoted_overrides(given, quoted) for given in arguments):
        name, equals, value = argument.partition("=")
        if equals and not name.strip("+~ "):
            raise ConfigError(f"{argument!r} names no field; legal: field=value or group=option")
        if name == "workload" and (network := _network(value)) is not None:
            plain += network
        elif name.lstrip("+") in FILES:
            plain.append(f"{name}={_path(value)}")
        elif name in FILE_FIELDS and value.lower().endswith(SUFFIXES):
            plain += [f"{name}=table", f"{FILE_FIELDS[name]}={_path(value)}"]
        elif name == "data.path":
            plain.append(f"{FILE_FIELDS['data']}={_path(value)}")
        elif names_file(name, value):
            plain.append(f"{name}={','.join(map(_path, own_options(name, value)))}")
        elif _is_group(name) and re.fullmatch(r"[-+.\d]+|true|false|null", value, re.IGNORECASE):
            # Hydra then refuses it as an unknown option, and not as a number.
            plain.append(f"{name}='{value}'")
        elif name.startswith(NAMED_BY_USERS) or name in CAPS:
            plain.append(f"++{argument}")
        else:
            plain.append(argument)
    return plain


def _network(value: str) -> list[str] | None:
    """Return what a list of networks or a file of one stands for; None where it is an option."""
    if is_list(value):
        return list(several_overrides(value, _workload_reader, _path))
    if (reader := _workload_reader(value)) is None:
        return None
    option, field = reader
    return [f"workload={option}", f"workload.{field}={_path(value)}"]


def _workload_reader(value: str) -> tuple[str, str] | None:
    """Return the option that reads a workload's file, and its field; None where it is no file."""
    suffix = Path(value).suffix.lower()
    if suffix in MODELS:
        return MODELS[suffix], "model"
    return ("table", "path") if suffix in TABLES or "/" in value else None


def with_sweep_directory(arguments: Sequence[str], parent: str) -> list[str]:
    """Return the arguments with a sweep's directory named after its overrides, unless given.

    How many trials there are and where they run do not matter: more of them go on.
    """
    overrides = [text for text in arguments if "=" in text and not text.startswith("-")]
    if any(text.lstrip("+").startswith("hydra.sweep.dir=") for text in overrides):
        return list(arguments)
    asked = sorted(text for text in overrides if not text.startswith(ANYWHERE))
    digest = hashlib.sha256("\n".join(asked).encode()).hexdigest()[:8]
    found = [re.match(r"\+?experiment=([\w/,]+)$", text) for text in asked]
    names = [match[1].split(",") for match in found if match]
    # Of several experiments, the group.
    name = (os.path.commonpath(names[-1]) if names else "").replace("/", "-") or "sweep"
    directory = f"hydra.sweep.dir={_path(str(Path.cwd() / parent / f'{name}-{digest}'))}"
    place = arguments.index(overrides[0]) if overrides else len(arguments)
    return [*arguments[:place], directory, *arguments[place:]]


def _path(value: str) -> str:
    """Quote what Hydra's grammar would trip over; commas and its own functions stay, for sweeps.

    A path that exists is taken as it is written, whatever it holds.
    """
    exists = os.path.exists(value)
    if not exists and re.fullmatch(rf"(['\"]).*\1|({FUNCTIONS})\(.*\)", value):
        return value
    if re.fullmatch(r"[A-Za-z0-9_./~+:,-]*", value) and not (exists and "," in value):
        return value
    return quoted(value)


def quoted(text: str) -> str:
    """Return a text in Hydra's grammar, whatever it holds."""
    # Backslashes are escaped only where a quote follows.
    escaped = re.sub(r"(\\*)('|$)", lambda end: end[1] * 2 + end[2].replace("'", r"\'"), text)
    return f"'{escaped}'"


def _is_group(name: str) -> bool:
    return name.isidentifier() and (config_directory() / name).is_dir()

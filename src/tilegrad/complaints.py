"""Errors of Hydra and OmegaConf in one paragraph: the field, the value and what is legal."""

from __future__ import annotations

import inspect
import re
import sys
from itertools import pairwise
from pathlib import Path

from hydra.errors import (
    ConfigCompositionException,
    HydraException,
    InstantiationException,
    OverrideParseException,
)
from hydra.utils import get_object
from omegaconf import DictConfig
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)
from yaml import MarkedYAMLError

from tilegrad.errors import unknown
from tilegrad.extras import LAUNCHERS, hint
from tilegrad.own_files import chosen_file
from tilegrad.paths import config_directory

HIDDEN = ("_target_", "_partial_", "hydra")
"""Keys that are no fields of the user's."""

_OPTION = re.compile(r"Could not find '(?:(?P<group>\S+)/)?(?P<name>[^'/]*)'\s")
_GROUP = re.compile(r"Could not override '(?P<name>[^']+)'. No match in the defaults list")
_ARGUMENT = re.compile(
    r"target '(?P<target>[\w.]+)'.*unexpected keyword argument '(?P<name>\w+)'"
    r".*full_key: (?P<where>\S+)",
    re.DOTALL,
)


def describe(error: BaseException) -> str:
    """Return one paragraph about an error, with the nearest legal name where one was mistaken.

    What is wrong with a group's option that lies in a file of the user's begins with the file.
    """
    text = _described(error)
    path = chosen_file(re.split(r"[.: ]", text, maxsplit=1)[0])
    return text if path is None or path in text else f"{path}: {text}"


def _described(error: BaseException) -> str:
    cause = error.__cause__
    if isinstance(error, InstantiationException):
        return unknown_argument(error) or (describe(cause) if cause else _paragraph(error))
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"{mark.name}, line {mark.line + 1}: not one legal YAML document ({error.problem})"
    if isinstance(error, UnicodeDecodeError):
        return f"{_undecodable()}: not UTF-8 text ({error.reason} {error.object[error.start]:#04x})"
    if isinstance(error, OverrideParseException):
        return (
            f"{error.override!r} cannot be read: {_paragraph(error)} (legal: field=value or "
            "group=option, brackets and quotes closed)"
        )
    if isinstance(error, ConfigCompositionException) and cause is not None:
        return _field(cause) or describe(cause)
    if isinstance(error, OmegaConfBaseException):
        return _value(error)
    if isinstance(error, HydraException):
        return _option(str(error)) or _group(str(error)) or _paragraph(error)
    return _paragraph(error)


def _undecodable() -> str:
    """Return the file of a config directory that is no UTF-8 text."""
    places = [config_directory()]
    for name, value in pairwise([*sys.argv, ""]):
        option, equals, given = name.partition("=")
        if option in ("--config-dir", "-cd"):
            places.append(Path(given if equals else value))
    for path in (path for place in places for path in sorted(place.rglob("*.yaml"))):
        try:
            path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return str(path)
    return "a config file"


def _field(error: BaseException) -> str | None:
    """Describe an override of a field that the config does not have."""
    if not isinstance(error, (ConfigKeyError, ConfigAttributeError)):
        return None
    where, _, name = str(error.full_key).rpartition(".")
    parent = error.parent_node
    legal = (
        [str(key) for key in parent if key not in HIDDEN] if isinstance(parent, DictConfig) else []
    )
    return unknown("field", name, legal or ["none"], where)


def _value(error: OmegaConfBaseException) -> str:
    """Describe a value that is missing or cannot be resolved."""
    if isinstance(error, MissingMandatoryValue):
        return f"{error.full_key} is missing; give {error.full_key}=VALUE"
    if isinstance(error, (ConfigKeyError, ConfigAttributeError)):
        return f"field {error.full_key} is missing; leave it at its default, or give a value"
    first = str(error).splitlines()[0]
    return (
        f"{error.full_key} cannot be resolved: {first} "
        "(legal: a value, or ${...} with the full name of a field)"
    )


def unknown_argument(error: InstantiationException) -> str | None:
    """Describe a field that the config's target does not take."""
    found = _ARGUMENT.search(str(error))
    if found is None:
        return None
    legal = inspect.signature(get_object(found["target"])).parameters
    return unknown("field", found["name"], legal, found["where"])


def _option(text: str) -> str | None:
    """Describe an option that a config group does not have; Hydra lists those it has by tabs."""
    found = _OPTION.search(text)
    options = re.search(r"Available options in [^\n]*\n((?:\t\S+\n?)+)", text)
    if found is None:
        return None
    if options is None:
        return _folder_option(f"{found['group']}/{found['name']}")
    text = unknown("option", found["name"], options[1].split(), found["group"])
    extra = LAUNCHERS.get(found["name"]) if found["group"] == "hydra/launcher" else None
    return f"{text}; {hint(extra)}" if extra else text


def _folder_option(chosen: str) -> str | None:
    """Describe an option of a group whose options lie in folders, which Hydra does not list."""
    group, _, name = chosen.partition("/")
    folder = config_directory() / group
    paths = (path.relative_to(folder).with_suffix("") for path in folder.rglob("*/*.yaml"))
    legal = sorted(path.as_posix() for path in paths if path.name != "base")
    return unknown("option", name, legal, group) if legal else None


def _group(text: str) -> str | None:
    """Describe a choice from a config group that the command does not have."""
    found = _GROUP.search(text)
    if found is None:
        return None
    return f"{found['name']} is no group of this command; legal: the groups and fields of --help"


def _paragraph(error: BaseException) -> str:
    """Return the message on one line, without references to Hydra's own documents and internals."""
    lines = [line.strip() for line in str(error).splitlines()]
    hidden = ("full_key:", "object_type=", "See https:", "provider=", "Config search path")
    text = " ".join(line for line in lines if line and not line.startswith(hidden))
    text = re.sub(r" expecting \{.*\}", "", text)
    legal = (
        "; legal: field=value or group=option" if text.startswith("Error parsing override") else ""
    )
    return text + legal

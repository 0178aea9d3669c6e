"""``workload=[resnet50,bert,net.onnx]`` in Hydra's terms: an option of the group for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tilegrad.errors import ConfigError

Reader = Callable[[str], "tuple[str, str] | None"]
"""Finds the option that reads a file, and its field; None where a text is no file."""


def is_list(value: str) -> bool:
    """Return whether an override's value is one list."""
    return value.startswith("[") and value.endswith("]")


def several_overrides(value: str, reader: Reader, path: Callable[[str], str]) -> Iterator[str]:
    """Yield the overrides that a list of networks stands for; ``path`` writes one for Hydra.

    Each is an option, a file, or ``NAME:`` and one of these. Raises ``ConfigError``.
    """
    yield "workload=several"
    seen: set[str] = set()
    for item in filter(None, (text.strip().strip("'\"") for text in value[1:-1].split(","))):
        name, option = named(item)
        if name in seen:
            raise ConfigError(
                f"workload={value}: two networks are called {name!r}; legal: a name of its own for "
                f"each, as in [one:{option},two:{option}]"
            )
        seen.add(name)
        node = f"workload.networks.{name}"
        read = reader(option)
        yield f"+workload@{node}={option if read is None else read[0]}"
        if read is not None:
            yield f"{node}.{read[1]}={path(option)}"


def named(item: str) -> tuple[str, str]:
    """Return a network's name and option: by default a file is called as it is, without suffix."""
    name, colon, option = item.partition(":")
    if not colon:
        name, option = re.sub(r"\W", "_", Path(item).stem), item
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
        raise ConfigError(
            f"workload: network {name!r} of {item!r}; legal names: letters, digits and _, as in "
            f"net:{option or 'OPTION'}"
        )
    return name, option

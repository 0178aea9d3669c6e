"""``overrides=[strategy=random,seed=3]`` in Hydra's terms: each override of a list is one text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tilegrad.networks_list import is_list

LISTS = ("overrides", "shared", "designs.")
"""Fields of ``compare`` that hold overrides; one that ends in a dot begins names."""

_PARTS = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[\[{(]|[\])}]|,|.""", re.DOTALL)


def quoted_overrides(argument: str, quoted: Callable[[str], str]) -> str:
    """Return an argument; where it gives a list of overrides, each in quotes by ``quoted``."""
    name, _, value = argument.partition("=")
    field = name.lstrip("+")
    listed = any(field == each or (each[-1] == "." and field.startswith(each)) for each in LISTS)
    if not listed or not is_list(value):
        return argument
    items = (item.strip() for item in _items(value[1:-1]))
    return f"{name}=[{','.join(quoted(item) if _plain(item) else item for item in items)}]"


def _plain(item: str) -> bool:
    return "=" in item and item[0] not in "'\""


def _items(text: str) -> Iterator[str]:
    """Yield what commas part that lie neither in quotes nor in brackets."""
    item, depth = "", 0
    for part in _PARTS.findall(text):
        depth += (part in "[{(") - (part in "])}")
        if part == "," and depth == 0:
            yield item
            item = ""
        else:
            item += part
    if item.strip():
        yield item

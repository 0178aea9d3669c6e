"""Commands that pages print are ones that a command line takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from tilegrad.cli import CONFIGURED
from tilegrad.entry import plain_overrides
from tilegrad.own_files import names_file

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))
_NAMES = "|".join(CONFIGURED)
_CALL = re.compile(rf"^(?:\S*/)?(?:tilegrad (?:{_NAMES})|python (?:{_NAMES})\.py) (.*)$")


def printed(page: str) -> Iterator[list[str]]:
    """Yield the arguments of the configured commands in a page's shell blocks."""
    text = (ROOT / page).read_text()
    for block in re.findall(r"^```(?:sh|bash)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if found := _CALL.match(line.strip()):
                yield shlex.split(found[1], comments=True)


def overrides(arguments: list[str]) -> list[str]:
    """Return the overrides alone: flags, what follows ``--config-dir`` and absent files aside."""
    kept = [a for before, a in zip(["", *arguments], arguments, strict=False)
            if not a.startswith("-") and before != "--config-dir"]  # fmt: skip
    return [text for text in kept if not names_file(*text.partition("=")[::2])]


@pytest.mark.parametrize("page", PAGES)
def test_printed_overrides_can_be_read(page: str) -> None:
    for arguments in printed(page):
        OverridesParser.create().parse_overrides(plain_overrides(overrides(arguments)))


def test_commands_are_found() -> None:
    assert sum(len(list(printed(page))) for page in PAGES) > 50

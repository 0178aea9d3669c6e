"""Links of pages that are also read in the repository: to pages where they are, else plain text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from posixpath import dirname, join, normpath, relpath

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
_ELSEWHERE = re.compile(r"[a-z]+:|/")


def site_links(text: str, written_in: str, shown_as: str, pages: dict[str, str]) -> str:
    """Return a page's Markdown with the links that hold on the site.

    ``written_in`` is its path in the repository, ``shown_as`` its path on the site; ``pages`` gives
    the page on the site of a repository's file. Raises ``ValueError`` for a file that is not there.
    """
    return _LINK.sub(_rewrite(written_in, shown_as, pages), text)


def _rewrite(
    written_in: str, shown_as: str, pages: dict[str, str]
) -> Callable[[re.Match[str]], str]:
    def rewrite(match: re.Match[str]) -> str:
        text, target, anchor = match["text"], match["target"], match["anchor"] or ""
        if _ELSEWHERE.match(target):
            return match[0]
        file = normpath(join(dirname(written_in), target))
        if not (ROOT / file).exists():
            raise ValueError(f"{written_in}: link to {target}, which is not there")
        if file in pages:
            return f"[{text}]({relpath(pages[file], dirname(shown_as) or '.')}{anchor})"
        return text if text.strip("`") == file else f"{text} (`{file}`)"

    return rewrite

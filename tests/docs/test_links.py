"""Links of pages that are read both in the repository and on the site."""

from __future__ import annotations

import pytest

from tests.docs.conftest import links

PAGES = {"docs/search.md": "search.md", "README.md": "index.md", "docs/data.md": "data.md"}


@pytest.mark.parametrize(
    ("written_in", "shown_as", "text", "expected"),
    [
        ("README.md", "index.md", "[how](docs/search.md#speed)", "[how](search.md#speed)"),
        ("docs/search.md", "search.md", "[home](../README.md)", "[home](index.md)"),
        ("docs/search.md", "search.md", "[here](#speed)", "[here](#speed)"),
        ("docs/search.md", "search.md", "[t](https://a.b/c)", "[t](https://a.b/c)"),
        ("README.md", "a/index.md", "[data](docs/data.md)", "[data](../data.md)"),
        ("README.md", "index.md", "[licence](LICENSE)", "licence (`LICENSE`)"),
        ("README.md", "index.md", "[LICENSE](LICENSE)", "LICENSE"),
    ],
)
def test_links_hold_on_the_site(written_in: str, shown_as: str, text: str, expected: str) -> None:
    assert links.site_links(text, written_in, shown_as, PAGES) == expected


def test_a_link_to_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"README.md: link to docs/serch.md, which is not there"):
        links.site_links("[how](docs/serch.md)", "README.md", "index.md", PAGES)

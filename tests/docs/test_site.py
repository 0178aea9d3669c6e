"""The documentation's site: built without a remark, whole, and of its own files alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.conftest import configs

ROOT = Path(__file__).parents[2]
_FETCHED = re.compile(
    r"""<(?:script|img|link rel="stylesheet")[^>]*(?:src|href)="?(https?:[^" >]+)"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the built site's directory."""
    pytest.importorskip("mkdocs", reason="not installed: pip install 'tilegrad[docs]'")
    out = tmp_path_factory.mktemp("site")
    build = ["mkdocs", "build", "--quiet", "--strict", "--site-dir", str(out)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    ended = subprocess.run(
        [sys.executable, "-m", *build], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return out


@pytest.mark.slow
def test_every_group_and_command_has_its_page(site: Path) -> None:
    pages = site / "reference" / "config"
    for group, options in configs.groups().items():
        page = (pages / f"{group}.html").read_text()
        assert all(f'id="{path.stem}"' in page for path in options), group
    assert all((pages / f"{name}.html").exists() for name in configs.COMMANDS)


@pytest.mark.slow
def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40
    assert {found for page in pages for found in _FETCHED.findall(page.read_text())} == set()


def test_fields_carry_the_comments_above_them() -> None:
    described = "# @package _global_\n# A thing.\nname: null\n"
    about, found = configs.fields(f"{described}# How many,\n# at most.\nmost: {{a: 1}}\n")
    assert about == "A thing."
    assert found == [
        configs.Field("name", "null", ""),
        configs.Field("most", "{a: 1}", "How many, at most."),
    ]


def test_defaults_are_those_of_the_commands() -> None:
    assert configs.defaults("search")["accelerator"] == "gemmini"
    assert configs.defaults("search")["hydra/sweeper"] == "grid"
    assert configs.defaults("schedules")["source"] == "schedules"

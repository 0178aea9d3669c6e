"""The digest of a user's own code: of its content, wherever and however often it is found."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tilegrad.fingerprint.code import own_code


def package(place: Path, name: str, **files: str) -> Path:
    """Write a package without ``__init__.py``; ``__`` in a file's name is a folder's end."""
    for file, text in files.items():
        path = place / name / f"{file.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return place


def lead(monkeypatch: pytest.MonkeyPatch, *places: Path) -> None:
    """Put folders before ``sys.path`` until the test ends."""
    for place in reversed(places):
        monkeypatch.syspath_prepend(place)
    importlib.invalidate_caches()


def test_a_folder_found_twice_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = package(tmp_path, "mine_twice", model="a = 1", sub__model="a = 2")
    lead(monkeypatch, place)
    once = own_code("mine_twice.model.Class")
    lead(monkeypatch, place, tmp_path / "mine_twice" / "..")
    assert own_code("mine_twice.model.Class") == once is not None


def test_a_files_place_in_its_package_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead(monkeypatch, package(tmp_path, "mine_moved", one__model="a = 1", two__model="a = 2"))
    before = own_code("mine_moved")
    (tmp_path / "mine_moved" / "two").rename(tmp_path / "mine_moved" / "three")
    assert own_code("mine_moved") not in (before, None)


def test_of_two_folders_what_is_imported_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = package(tmp_path / "first", "mine_spread", model="a = 1")
    second = package(tmp_path / "second", "mine_spread", model="a = 2", other="b = 3")
    lead(monkeypatch, first, second)
    before = own_code("mine_spread")
    package(second, "mine_spread", model="a = 4")
    assert own_code("mine_spread") == before
    package(second, "mine_spread", other="b = 5")
    assert own_code("mine_spread") != before


def test_a_module_is_known_by_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine_alone.py").write_text("a = 1")
    lead(monkeypatch, tmp_path)
    before = own_code("mine_alone.Class")
    (tmp_path / "mine_alone.py").write_text("a = 2")
    assert own_code("mine_alone.Class") != before is not None


@pytest.mark.parametrize("target", ["tilegrad.models.Any", "torch.nn.Linear", "nowhere.Class", ""])
def test_what_is_not_the_users_has_no_digest(target: str) -> None:
    assert own_code(target) is None

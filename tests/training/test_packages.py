"""The packages that the code and its configs name are those that the project depends on."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.training.conftest import ROOT

SOURCES = sorted(
    path for room in ("src", "tests", "benchmarks") for path in (ROOT / room).rglob("*.py")
)
CONFIGS = sorted((ROOT / "conf").rglob("*.yaml"))


def imported(path: Path) -> set[str]:
    """Return the packages that a file imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
    return found


@pytest.mark.slow
def test_lightning_comes_as_pytorch_lightning_alone() -> None:
    """The package of both, ``lightning``, has another copy of the same classes."""
    packages = {path: imported(path) for path in SOURCES}
    assert any("pytorch_lightning" in found for found in packages.values())
    assert not [path for path, found in packages.items() if "lightning" in found]
    targets = [word for path in CONFIGS for word in path.read_text().split()]
    assert "pytorch_lightning.Trainer" in targets
    assert not [word for word in targets if word.startswith("lightning.")]

"""What a layer table reads beside itself tells runs apart too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workload.test_table_shapes import MIXED, OWN
from tilegrad.fingerprint.digests import file_digest
from tilegrad.fingerprint.parts import config_parts

YAML = "layers:\n- {layer: a, shape: own.yaml, P: 8, R: 3, C: 4, K: 8}\n"


def parts(table: Path) -> dict[str, object]:
    return config_parts({"data": {"source": {"workload": {"path": str(table)}}}})


@pytest.mark.parametrize(("name", "text"), [("net.csv", MIXED), ("net.yaml", YAML)])
@pytest.mark.parametrize("file", ["own.yaml", "my own.yml"])
def test_a_shape_file_counts_by_its_content(
    name: str, text: str, file: str, tmp_path: Path
) -> None:
    table, shape = tmp_path / name, tmp_path / file
    table.write_text(text.replace("own.yaml", file))
    shape.write_text(OWN)
    (tmp_path / "other.yaml").write_text("not named in the table")
    before = parts(table)
    (tmp_path / "other.yaml").write_text("changed")
    assert parts(table) == before
    shape.write_text(OWN.replace("stride: 2", "stride: 3"))
    assert parts(table) != before


def test_a_table_without_shape_files_is_its_content_alone(tmp_path: Path) -> None:
    table = tmp_path / "net.csv"
    table.write_text("layer,R,S,P,Q,C,K\nconv,3,3,8,8,4,8\n")
    (tmp_path / "own.yaml").write_text(OWN)
    assert parts(table) == {"data.source.workload.path": f"content {file_digest(table)}"}

"""Tables, rows and places that are refused: one paragraph, exit code 2, nothing written."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tilegrad.paths import config_directory

Refused = Callable[..., None]


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("prob.C", "two", ("'two'", "an integer from 1")),
        ("prob.C", None, ("''", "an integer from 1")),
        ("prob.K", -2, ("'-2'", "an integer from 1")),
        ("prob.P", 0, ("'0'",)),
        ("prob.P", 4.5, ("'4.5'",)),
        ("prob.P", "1_0", ("'1_0'",)),
        ("prob.N", "inf", ("'inf'",)),
        ("prob.Wstride", "NaN", ("'NaN'", "an integer from 1")),
        ("prob.Q", 2**54, ("'18014398509481984'",)),
        ("prob.Q", 2**53, ("row 2, column prob.*", "multiply to", "at most")),
        ("arch.meshX", "wide", ("'wide'", "a number > 0")),
        ("arch.mem1_depth", 0, ("'0'", "a number > 0")),
        ("mapping.mapping", "", ("mapping ''", "gemmini has 4")),
        ("mapping.mapping", "L3[WIO] N1", ("1 levels", "gemmini has 4")),
        ("prob.K", 3, ("column mapping.mapping", "factors of K multiply to 2; legal: 3")),
        ("arch.mem2_depth", 4, ("must hold 0.012 KB (Weights 0.004 + Inputs 0.008)", "its 0.008")),
        ("arch.mem1_depth", 3, ("Accumulator must hold 0.031 KB (Outputs 0.031), 0.008 KB more",)),
        (
            "arch.meshX",
            1,
            ("spreads loops over 2 instances along X, 1 more than the mesh has (1)",),
        ),
        ("target.energy", "much", ("'much'", "a number > 0, or nothing")),
        ("target.cycle", -1, ("'-1'", "a number > 0, or nothing")),
    ],
)
def test_bad_cell(
    refused: Refused,
    frame: pd.DataFrame,
    tmp_path: Path,
    column: str,
    value: str | float | None,
    words: tuple[str, ...],
) -> None:
    frame["target.energy"], frame["target.cycle"] = 1.0, 6
    frame = frame.astype(object)
    frame.loc[1, column] = value
    frame.to_csv(tmp_path / "table.csv", index=False)
    place = () if column == "prob.Q" or "mapping.mapping" in words[0] else ("row 2, column ",)
    refused(tmp_path / "table.csv", "table.csv", *place, *words, "1 of 3 rows are refused")


def test_the_first_offender_and_how_many(
    refused: Refused, frame: pd.DataFrame, tmp_path: Path
) -> None:
    table = pd.concat([frame] * 4, ignore_index=True)
    table.loc[[3, 9], "prob.C"] = "?"
    table.loc[[1, 2, 3], "prob.K"] = 3
    table.to_csv(tmp_path / "t.csv", index=False)
    refused(tmp_path / "t.csv", "row 2, column mapping.mapping", "(4 of 12 rows are refused: 2 x")


@pytest.mark.parametrize(("mark", "name"), [(";", "';'"), ("\t", "tabs")])
def test_another_separator_is_named(
    refused: Refused, frame: pd.DataFrame, tmp_path: Path, mark: str, name: str
) -> None:
    frame.to_csv(tmp_path / "table.csv", index=False, sep=mark)
    refused(tmp_path / "table.csv", f"the columns are separated by {name} (legal: ',')")


def test_sizes_that_make_no_accelerator(
    refused: Refused, frame: pd.DataFrame, tmp_path: Path
) -> None:
    described = yaml.safe_load((config_directory() / "accelerator" / "gemmini.yaml").read_text())
    described["accelerator"]["levels"][-1]["bandwidth"]["shared"] = "pe_dim - 4"
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(described))
    frame["arch.meshX"] = [8, 8, 2]
    frame.to_csv(tmp_path / "table.csv", index=False)
    refused(
        tmp_path / "table.csv",
        "row 3, column of the hardware: accelerator gemmini.levels[3].bandwidth.shared: "
        "'pe_dim - 4' is -2 at pe_dim 2; legal: a number > 0 (1 of 3 rows are refused",
        accelerator=str(tmp_path / "own.yaml"),
    )


def test_no_row_is_legal(refused: Refused, frame: pd.DataFrame, tmp_path: Path) -> None:
    frame["prob.K"] = 5
    frame.to_csv(tmp_path / "table.csv", index=False)
    refused(tmp_path / "table.csv", "3 of 3 rows are refused")


@pytest.mark.parametrize(
    "values",
    [pa.array([True] * 3), pa.array([[1]] * 3), pa.array([None] * 3), pa.array(["x"] * 3)],
)
def test_parquet_column_without_numbers(
    refused: Refused, frame: pd.DataFrame, tmp_path: Path, values: pa.Array
) -> None:
    table = pa.Table.from_pandas(frame.infer_objects(), preserve_index=False)
    place = table.schema.get_field_index("prob.C")
    table = table.set_column(place, "prob.C", values)
    pq.write_table(table, tmp_path / "t.parquet")
    refused(tmp_path / "t.parquet", "row 1, column prob.C", "3 of 3 rows")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("prob.C", "prob.c", ("'prob.C' is missing", "nearest in the table: 'prob.c'")),
        ("mapping.mapping", "mapping", ("'mapping.mapping' is missing", "needed: ")),
        ("arch.meshX", "arch.meshx", ("'pe_dim'", "'arch.meshx'", "arch.meshX")),
        ("arch.mem1_depth", "x", ("'accumulator_kb'", "a column accumulator_kb")),
        ("prob.S", "prob.C", ("'prob.S' is missing",)),
    ],
)
def test_missing_column(
    refused: Refused, table: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    header, rest = table.read_text().split("\n", 1)
    table.write_text(header.replace(old, new) + "\n" + rest)
    refused(table, *words)


def test_column_given_twice(refused: Refused, table: Path) -> None:
    header, *rows = table.read_text().splitlines()
    table.write_text("\n".join([f"{header},prob.C", *(f"{row},2" for row in rows)]))
    refused(table, "'prob.C' is given twice")


def archive_of(*names: str, text: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("t.csv", lambda text: text[:-20], ("Row #3", "Expected 15 columns")),
        ("t.csv", lambda text: text.replace(b"\nL3", b"\nL3,"), ("Row #1", "got 16")),
        ("t.csv", lambda text: text[:-20] + b'"', ("Row #3",)),
        ("t.csv", lambda text: text.replace(b"N1", b"\xff"), ("UTF8",)),
        ("t.csv", lambda text: text.replace(b"prob", b"\xff"), ("utf-8",)),
        ("t.csv", lambda text: text[:0], ("the table is empty",)),
        ("t.csv", lambda text: text.splitlines()[0], ("has no rows",)),
        ("t.csv", lambda text: text.splitlines()[0] + b"\n\n", ("has no rows",)),
        ("t.csv.gz", lambda text: text, ("cannot be read", "gzip")),
        ("t.csv.gz", lambda text: gzip.compress(text)[:-12], ("cannot be read",)),
        ("t.csv.gz", lambda text: gzip.compress(text)[:40] + b"\0" * 99, ("cannot be read",)),
        ("t.csv.tar.gz", lambda text: text, ("cannot be read",)),
        ("t.csv.tar.gz", lambda text: gzip.compress(text), ("cannot be read",)),
        ("t.csv.tar.gz", lambda text: archive_of("a", text=text)[:100], ("cannot be read",)),
        ("t.csv.tar.gz", lambda text: archive_of("a", "b", text=text), ("also holds 'b'",)),
        ("t.csv.tar.gz", lambda text: archive_of(text=text), ("archive is empty",)),
        ("t.parquet", lambda text: text, ("cannot be read", "Parquet")),
        ("t.parquet", lambda text: text[:0], ("cannot be read",)),
        ("t.json", lambda text: text, ("unknown kind of table '.json'", ".csv.tar.gz")),
    ],
)
def test_damaged_file(
    refused: Refused,
    table: Path,
    name: str,
    damage: Callable[[bytes], bytes],
    words: tuple[str, ...],
) -> None:
    damaged = table.with_name(name)
    damaged.write_bytes(damage(table.read_bytes()))
    refused(damaged, str(damaged), *words)


def test_truncated_parquet(refused: Refused, frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    frame.infer_objects().to_parquet(path)
    whole = path.read_bytes()
    # The pages are gone, the footer is there.
    path.write_bytes(whole[:4] + b"\0" * (len(whole) // 2) + whole[4 + len(whole) // 2 :])
    refused(path, "cannot be read")


def test_missing_file(refused: Refused, tmp_path: Path) -> None:
    refused(tmp_path / "no.csv", "no.csv", "No such file")


def test_folder_for_a_table(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    refused(tmp_path / "folder.csv", "folder.csv", "directory")


def test_unknown_accelerator(refused: Refused, table: Path) -> None:
    refused(table, "unknown accelerator 'gemini'", "nearest: gemmini", accelerator="gemini")
    refused(table, "absent.yaml", "cannot be read", accelerator="absent.yaml")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("pe_dim: mesh", "pe_dim: msh", ("table.parameters.pe_dim", "'msh'", "nearest: mesh")),
        ("pe_dim: mesh", "pe: mesh", ("table", "'pe'", "nearest: pe_dim")),
        ("mesh: arch.meshX", "mesh: 7", ("table.columns", "mesh is 7")),
        ("  table:\n", "  table:\n    rows: 1\n", ("table", "unknown field 'rows'")),
    ],
)
def test_accelerator_with_a_bad_table_section(
    refused: Refused, table: Path, tmp_path: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    gemmini = Path(__file__).parents[2] / "conf" / "accelerator" / "gemmini.yaml"
    other = tmp_path / "other.yaml"
    other.write_text(gemmini.read_text().replace(old, new))
    refused(table, *words, accelerator=str(other))


def test_accelerator_without_a_table_section(refused: Refused, table: Path, tmp_path: Path) -> None:
    gemmini = Path(__file__).parents[2] / "conf" / "accelerator" / "gemmini.yaml"
    other = tmp_path / "other.yaml"
    description = yaml.safe_load(gemmini.read_text())
    del description["accelerator"]["table"]
    other.write_text(yaml.safe_dump(description, sort_keys=False))
    refused(table, "no column gives", "(legal: a column pe_dim)", accelerator=str(other))


def test_hardware_that_comes_out_negative(refused: Refused, table: Path, tmp_path: Path) -> None:
    gemmini = Path(__file__).parents[2] / "conf" / "accelerator" / "gemmini.yaml"
    other = tmp_path / "other.yaml"
    other.write_text(gemmini.read_text().replace("pe_dim: mesh", "pe_dim: mesh - 2"))
    refused(table, "row 1, column pe_dim", "make it 0", accelerator=str(other))


def test_bad_output(refused: Refused, table: Path, out: Path, tmp_path: Path) -> None:
    refused(table, "ends in '.csv' (legal: .parquet)", to=out.with_suffix(".csv"))
    refused(table, "there is no folder", to=tmp_path / "absent" / "out.parquet")
    (tmp_path / "folder.parquet").mkdir()
    refused(table, "is a folder", to=tmp_path / "folder.parquet")


def test_the_table_is_not_overwritten(
    refused: Refused, frame: pd.DataFrame, tmp_path: Path
) -> None:
    path = tmp_path / "t.parquet"
    frame.infer_objects().to_parquet(path)
    refused(path, "is the table itself", to=path)
    assert len(pd.read_parquet(path)) == 3


def test_rows_of_another_machine_are_refused_by_row(refused: Refused, table: Path) -> None:
    """All of them: no row is left whose costs would give the tensors their shapes."""
    refused(table, "row 1", "has 4 levels; simba has 6", accelerator="simba")

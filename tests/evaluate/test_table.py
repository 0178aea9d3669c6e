"""Tables that are right: values by hand, formats, chunks, columns, references, skipped rows."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tilegrad.accelerator import load_accelerator
from tilegrad.evaluate import evaluate_table

GEMMINI = load_accelerator("gemmini")
PER_KB = 5 / 99.5
Run = Callable[..., int]


def expected_pj() -> float:
    """Return the energy of the small row, level by level; see ``ROW`` in conftest.py."""
    register, column, scratchpad = 1 / 1024, 0.5, 1.0
    macs = 16 * 0.5608
    # 4 registers: 4 reads each and 1 fill.
    registers = 4 * (4 + 1) * 0.5 * (1 + PER_KB * (register - 0.5))
    # 2 columns of 32-bit words: 4 updates each and 4 first fills, no read.
    accumulator = 2 * (4 + 4) * 2 * (1 + PER_KB * (column - 0.5))
    # Weights: 4 words in and out; Inputs: 8 in and out.
    scratchpads = (4 + 4 + 8 + 8) * 0.5 * (1 + PER_KB * (scratchpad - 0.5))
    # Weights, Inputs and Outputs: each less than one block of 64.
    dram = 3 * 64 * 100
    return macs + registers + accumulator + scratchpads + dram


def test_values_by_hand(evaluate: Run, table: Path, out: Path) -> None:
    assert evaluate(table) == 0
    result = pd.read_parquet(out)
    assert result["row"].tolist() == [1, 2, 3]
    # Arithmetic 4, accumulator 8 words / 2, scratchpad 24 words / 4, DRAM 20 words / 8.
    assert result["cycles"].tolist() == [6, 6, 6]
    assert result["bottleneck"].tolist() == ["Scratchpad"] * 3
    assert result["energy_uj"].tolist() == pytest.approx([expected_pj() * 1e-6] * 3, rel=1e-12)
    assert result["edp"].tolist() == (result["cycles"] * result["energy_uj"]).tolist()
    assert result.columns.tolist() == [
        *("row", "mapping.mapping", "cycles", "energy_uj", "edp", "bottleneck")
    ]


def test_loops_where_a_search_puts_none(
    evaluate: Run, frame: pd.DataFrame, tmp_path: Path, out: Path
) -> None:
    """A loop over Q at the registers, as in DOSA's own designs, counts as one over P does."""
    frame[["prob.P", "prob.Q"]] = [1, 4]
    frame["mapping.mapping"] = frame["mapping.mapping"].str.replace("P4", "Q4")
    frame.to_csv(tmp_path / "table.csv", index=False)
    assert evaluate(tmp_path / "table.csv") == 0
    result = pd.read_parquet(out)
    assert result["cycles"].tolist() == [6, 6, 6]
    assert result["energy_uj"].tolist() == pytest.approx([expected_pj() * 1e-6] * 3, rel=1e-12)


def in_every_format(frame: pd.DataFrame, folder: Path) -> list[Path]:
    plain = folder / "t.csv"
    frame.to_csv(plain, index=False)
    packed = folder / "t.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    archive = folder / "t.csv.tar.gz"
    with tarfile.open(archive, "w:gz") as writer:
        writer.add(plain, "inside.csv")
    columns = folder / "t.parquet"
    frame.infer_objects().to_parquet(columns)
    return [plain, packed, archive, columns]


def test_all_formats_agree(evaluate: Run, frame: pd.DataFrame, tmp_path: Path, out: Path) -> None:
    results = []
    for path in in_every_format(frame, tmp_path):
        assert evaluate(path) == 0
        results.append(pd.read_parquet(out))
    assert all(result.equals(results[0]) for result in results)


@pytest.mark.parametrize("chunk_rows", [1, 4, 64])
def test_chunks_change_nothing(frame: pd.DataFrame, tmp_path: Path, chunk_rows: int) -> None:
    table = pd.concat([frame] * 5, ignore_index=True)
    table["arch.mem2_depth"] = [512 + row for row in range(len(table))]
    table["target.energy"] = 0.02
    for path in in_every_format(table, tmp_path):
        whole = evaluate_table(path, GEMMINI, tmp_path / "whole.parquet")
        parts = evaluate_table(path, GEMMINI, tmp_path / "parts.parquet", chunk_rows=chunk_rows)
        one, two = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("whole", "parts"))
        assert one.equals(two)
        assert one["row"].tolist() == list(range(1, 16))
        assert parts.rows == whole.rows == 15
        assert parts.accuracy["energy"].worst == whole.accuracy["energy"].worst


def test_progress_is_told(table: Path, tmp_path: Path) -> None:
    told: list[tuple[int, float]] = []
    evaluate_table(
        table,
        GEMMINI,
        tmp_path / "out.parquet",
        chunk_rows=2,
        progress=lambda rows, fraction: told.append((rows, fraction)),
    )
    assert told == [(2, 1.0), (3, 1.0)]


def test_columns_named_like_the_parameters(
    evaluate: Run, frame: pd.DataFrame, tmp_path: Path, out: Path
) -> None:
    fixed = frame.drop(columns=frame.filter(like="arch.").columns)
    fixed[["pe_dim", "scratchpad_kb", "accumulator_kb"]] = [2, 1, 1]
    # It outranks the accelerator's own columns.
    fixed["arch.meshX"] = 128
    fixed.to_csv(tmp_path / "fixed.csv", index=False)
    assert evaluate(tmp_path / "fixed.csv") == 0
    energy = pd.read_parquet(out)["energy_uj"].tolist()
    assert energy == pytest.approx([expected_pj() * 1e-6] * 3, rel=1e-12)


def test_references_and_errors(
    evaluate: Run,
    frame: pd.DataFrame,
    tmp_path: Path,
    out: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    frame["target.cycle"] = [6, 5, 6]
    frame["target.energy"] = [None, expected_pj() * 1e-6, "NaN"]
    frame["target.edp"] = expected_pj() * 6e-12
    frame.to_csv(tmp_path / "table.csv", index=False)
    assert evaluate(tmp_path / "table.csv") == 0
    result = pd.read_parquet(out)
    assert result["cycles_error"].tolist() == pytest.approx([0, 0.2, 0])
    assert result["energy_error"].isna().tolist() == [True, False, True]
    assert result["edp_error"].abs().max() < 1e-12
    assert result["target.edp"].tolist() == pytest.approx(frame["target.edp"].tolist())
    printed = capsys.readouterr().out
    assert "3 rows evaluated" in printed
    assert "energy: 2 rows without a reference" in printed
    assert "cycles: largest error +20 % in row 2, L3[WIO] N1" in printed


def test_skip_invalid(
    evaluate: Run,
    frame: pd.DataFrame,
    tmp_path: Path,
    out: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = pd.concat([frame] * 3, ignore_index=True)
    table.loc[1, "prob.C"] = "two"
    table.loc[2, "mapping.mapping"] = "L0[W] P4"
    table.loc[4, "prob.K"] = 3
    table.loc[[6, 7], "arch.mem2_depth"] = 1
    table.to_csv(tmp_path / "table.csv", index=False)
    assert evaluate(tmp_path / "table.csv", "--skip-invalid") == 0
    assert pd.read_parquet(out)["row"].tolist() == [1, 4, 6, 9]
    printed = capsys.readouterr().out
    assert "4 rows evaluated" in printed
    assert "skipped 2 x Scratchpad overflows (KB); first: row 7" in printed
    assert "skipped 1 x illegal value in prob.C; first: row 2" in printed
    assert "skipped 1 x mapping is malformed; first: row 3" in printed
    assert "skipped 1 x factors do not multiply to the bound; first: row 5" in printed


def test_an_accelerator_file(evaluate: Run, table: Path, out: Path, tmp_path: Path) -> None:
    description = Path(__file__).parents[2] / "conf" / "accelerator" / "gemmini.yaml"
    other = tmp_path / "other.yaml"
    other.write_text(description.read_text().replace("name: gemmini", "name: other"))
    assert evaluate(table, accelerator=str(other)) == 0
    assert len(pd.read_parquet(out)) == 3

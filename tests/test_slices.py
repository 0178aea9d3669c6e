"""The slices of published tables that the repository holds are of the published tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.take_slices import SLICES, take_slices
from tests.helpers_published import FACTS, Table, data_directory


def test_slices_are_those_of_the_whole_tables(
    timeloop_rows: Table, rtl_rows: Table, tmp_path: Path
) -> None:
    if not (timeloop_rows.whole and rtl_rows.whole):
        pytest.skip("whole published tables absent; name their directory in TILEGRAD_DATA")
    take_slices(data_directory(), tmp_path)
    for wanted in SLICES.values():
        assert (tmp_path / wanted.name).read_bytes() == (FACTS / wanted.name).read_bytes()

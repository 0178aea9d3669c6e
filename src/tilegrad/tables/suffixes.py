"""What names of tables end in."""

from __future__ import annotations

SUFFIXES = (".csv", ".csv.gz", ".csv.tar.gz", ".parquet")

"""Take the slices of the published tables that lie here: ``python take_slices.py DATA [OUT]``.

DATA is the directory of the whole tables (``$TILEGRAD_DATA``). Rows are copied as printed, in
their order; which ones depends on the seed alone.
"""

from __future__ import annotations

import csv
import random
import sys
import tarfile
from collections import Counter
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

SEED = 0
HERE = Path(__file__).parent
LAYER = tuple(f"prob.{name}" for name in ("R", "S", "P", "Q", "C", "K", "N", "Wstride", "Hstride"))
MACHINE = ("arch.meshX", "arch.mem1_depth", "arch.mem2_depth")
MAPPING = ("mapping.mapping",)


class Slice(NamedTuple):
    """``least`` rows or more of every group, under a name here."""

    name: str
    groupings: tuple[tuple[str, ...], ...]
    least: int


SLICES = {
    "dosa/timeloop_dataset.csv.tar.gz": Slice(
        "dosa/timeloop_dataset_slice.csv", (MACHINE, LAYER), 3
    ),
    "dosa/firesim_training.csv": Slice("dosa/firesim_training_slice.csv", (LAYER,), 5),
}


def read_lines(path: Path) -> list[str]:
    """Return a table's lines, the header first."""
    if not path.name.endswith(".tar.gz"):
        return path.read_text().splitlines()
    with tarfile.open(path) as archive:
        member = archive.extractfile(archive.getmembers()[0])
        assert member is not None
        return member.read().decode().splitlines()


def chosen_rows(lines: Sequence[str], wanted: Slice) -> list[int]:
    """Return a sample's rows, each with all that repeat it."""
    header, *rows = csv.reader(lines)
    group_of = [itemgetter(*map(header.index, grouping)) for grouping in wanted.groupings]
    inputs = list(map(itemgetter(*map(header.index, (*MACHINE, *LAYER, *MAPPING))), rows))
    draw = random.Random(SEED)
    counts: list[Counter[tuple[str, ...]]] = [Counter() for _ in group_of]
    taken: set[tuple[str, ...]] = set()
    for place in sorted(range(len(rows)), key=lambda _: draw.random()):
        groups = [of(rows[place]) for of in group_of]
        if any(count[group] < wanted.least for count, group in zip(counts, groups, strict=True)):
            taken.add(inputs[place])
            for count, group in zip(counts, groups, strict=True):
                count[group] += 1
    return [place for place, key in enumerate(inputs) if key in taken]


def take_slices(data: Path, out: Path) -> None:
    """Write the slices of the tables under ``data`` below ``out``."""
    for source, wanted in SLICES.items():
        header, *lines = read_lines(data / source)
        rows = chosen_rows([header, *lines], wanted)
        (out / wanted.name).parent.mkdir(parents=True, exist_ok=True)
        (out / wanted.name).write_text("\n".join([header, *(lines[row] for row in rows), ""]))


if __name__ == "__main__":
    take_slices(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else HERE)

"""Numbers as a person reads them."""

from __future__ import annotations

import pytest

from tilegrad.report.engineering import counted, cycles, joules, kilobytes, scientific, typeset


@pytest.mark.parametrize(
    ("microjoules", "text"),
    [
        (9861.74, "9.86 mJ"),
        (430.98, "431 uJ"),
        (0.5, "500 nJ"),
        (999.9996, "1.00 mJ"),
        (1e6, "1 J"),
        (2.5e9, "2.50 kJ"),
        (0, "0 J"),
    ],
)
def test_energy(microjoules: float, text: str) -> None:
    assert joules(microjoules) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (6376781, "6.38 M"),
        (50688, "50.7 k"),
        (999, "999"),
        (0, "0"),
        (1.5, "1.50"),
        (1e21, "1.00e+06 P"),
    ],
)
def test_counts(count: float, text: str) -> None:
    assert counted(count) == text


def test_units_and_powers() -> None:
    assert cycles(12_300) == "12.3 k cycles"
    assert scientific(62886086392) == "6.289e10"
    assert scientific(0.00012) == "1.200e-4"
    assert typeset("4 uJ*cycles, 2 mm2") == "4 µJ·cycles, 2 mm²"


def test_sizes_count_1024_to_the_kilobyte() -> None:
    assert [kilobytes(n) for n in (1, 9408, 3 * 1024**2, 5 * 1024**3)] == [
        "1 B",
        "9.188 KB",
        "3 MB",
        "5 GB",
    ]

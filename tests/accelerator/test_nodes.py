"""Factors between technology nodes."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tilegrad.accelerator.nodes import BETWEEN, nodes, read_node


def test_energies_and_areas_fall_from_node_to_node() -> None:
    found = list(nodes().values())
    assert all(a.energy > b.energy and a.area > b.area for a, b in pairwise(found))
    assert list(nodes())[::4] == [180, 45, 22, 12]


def test_the_authors_own_example() -> None:
    """From 65 nm at its 1.1 V to 32 nm at 0.9 V: their corrigendum's factor of 32 nm is 0.4571."""
    assert read_node("32nm").energy == pytest.approx(0.4571, abs=5e-5)
    at65 = read_node("65nm").energy + 3.755 * (1.3**2 - 1.1**2) - 4.398 * (1.3 - 1.1)
    assert at65 == pytest.approx(2.604, abs=5e-4)


@pytest.mark.parametrize("nm", BETWEEN)
def test_other_nodes_lie_between_their_neighbours(nm: int) -> None:
    order = list(nodes())
    place = order.index(nm)
    larger, own, smaller = (nodes()[order[place + step]] for step in (-1, 0, 1))
    assert smaller.energy < own.energy < larger.energy
    assert smaller.area < own.area < larger.area

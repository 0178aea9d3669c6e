"""In which order the caps of a front are searched."""

from __future__ import annotations

import pytest

from tilegrad.front.walk import halved, spaced, waves


def test_places_are_halved_between_neighbours_of_earlier_waves() -> None:
    for count in range(2, 40):
        depth = halved(count)
        assert depth[0] == depth[-1] == 0
        for place in range(1, count - 1):
            before = [at for at in range(place) if depth[at] < depth[place]]
            after = [at for at in range(place + 1, count) if depth[at] < depth[place]]
            between = depth[max(before) + 1 : min(after)]
            # No two of a wave have nothing of an earlier wave between them.
            assert between.count(depth[place]) == 1


@pytest.mark.parametrize(("points", "each"), [(2, 2), (20, 20)])
def test_waves_hold_every_cap_once_but_the_loosest(points: int, each: int) -> None:
    caps = [found["area_mm2"] for wave in waves({"area_mm2": (0.5, 8.0)}, points) for found in wave]
    assert sorted(caps) == spaced(0.5, 8.0, each)[:-1]
    assert caps[0] == 0.5


def test_two_figures_make_a_grid() -> None:
    found = waves({"area_mm2": (1.0, 4.0), "power_w": (1.0, 9.0)}, 9)
    assert [len(wave) for wave in found] == [3, 5]
    assert {"area_mm2": 2.0, "power_w": 3.0} in [
        {name: round(cap, 9) for name, cap in caps.items()} for caps in found[1]
    ]
    assert {"area_mm2": 4.0, "power_w": 9.0} not in found[0]


def test_caps_go_in_equal_ratios_from_the_least_to_the_most() -> None:
    assert spaced(2.0, 32.0, 5) == pytest.approx([2, 4, 8, 16, 32])

"""Several networks as one workload."""

from __future__ import annotations

from typing import Any

import pytest

from tilegrad.errors import ConfigError
from tilegrad.workload import Coverage, LeftOut, Problem, Workload, several_networks

LAYER = Problem("mm", (1, 1, 4, 1, 8, 8, 1), count=2)
ONE = Workload("one", (LAYER, Problem("same", LAYER.bounds), Problem("up", (1, 1, 4, 1, 8, 2, 1))))
TWO = Workload("two", (LAYER,))


def test_layers_are_called_after_their_networks() -> None:
    found = several_networks({"a": ONE, "b": TWO}, {"b": 2})
    assert found.name == "a+b"
    # Equal layers of one network are one; those of two stay apart.
    assert [(each.name, each.also, each.count) for each in found] == [
        ("a.mm", ("a.same",), 3),
        ("a.up", (), 1),
        ("b.mm", (), 2),
    ]
    assert found.network.tolist() == [0, 0, 1]
    assert [*map(list, found.places)] == [[0, 1], [2]]
    assert found.networks is not None
    assert [(each.name, each.weight) for each in found.networks.members] == [("a", 1), ("b", 2)]


def test_what_is_not_mapped_of_each_is_told() -> None:
    left_out = (LeftOut("relu", 2, 10, "element by element"),)
    known = Workload("one", ONE.layers, Coverage(7, left_out, ("a note",), "graph"))
    found = several_networks({"a": known, "b": TWO}).coverage
    assert found is not None
    # Of all layers: 3 x 256 and 64 of the one, 2 x 256 of the other.
    assert found.macs == 1344
    assert found.left_out == left_out
    assert found.notes == ("a: a note",)
    assert several_networks({"a": ONE, "b": TWO}).coverage is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"weights": {"c": 1}}, ("workload.weights", "'c'", "a, b")),
        ({"weights": {"a": 0}}, ("workload.weights.a is 0", "> 0")),
        ({"weights": [1]}, ("1 numbers for 2 networks", "a, b")),
        ({"weights": 3}, ("workload.weights is 3",)),
        ({"rule": "geomaen"}, ("workload.rule", "'geomaen'", "geomean")),
    ],
)
def test_what_makes_no_sense_is_refused(settings: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as refused:
        several_networks({"a": ONE, "b": TWO}, **settings)
    assert all(word in str(refused.value) for word in words), refused.value


def test_one_network_is_not_several() -> None:
    with pytest.raises(ConfigError, match="two or more"):
        several_networks({"a": ONE})

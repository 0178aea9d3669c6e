"""``workload=[A,B]``: several networks on one hardware, from settings to files."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import tilegrad
from tilegrad.entry import plain_overrides
from tilegrad.errors import ConfigError, InfeasibleError

OTHER = "layer,R,S,P,Q,C,K,N\nwide,1,1,8,1,64,96,1\n"


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (
            "workload=[resnet50, 'net.onnx',big:some/x.csv]",
            [
                "workload=several",
                "+workload@workload.networks.resnet50=resnet50",
                "+workload@workload.networks.net=onnx",
                "workload.networks.net.model=net.onnx",
                "+workload@workload.networks.big=table",
                "workload.networks.big.path=some/x.csv",
            ],
        ),
        ("workload.weights.bert=2", ["++workload.weights.bert=2"]),
        ("caps.latency_ms=5", ["++caps.latency_ms=5"]),
    ],
)
def test_a_list_chooses_an_option_for_each(given: str, plain: list[str]) -> None:
    assert plain_overrides([given]) == plain


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("workload=[bert,bert]", ("two networks", "'bert'", "[one:bert,two:bert]")),
        ("workload=[a-b:bert]", ("'a-b'", "letters, digits and _")),
    ],
)
def test_names_that_do_not_tell_networks_apart_are_refused(
    given: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError) as refused:
        plain_overrides([given])
    assert all(word in str(refused.value) for word in words), refused.value


def test_networks_share_hardware_and_are_told_the_price(directory: Path) -> None:
    (directory / "other.csv").write_text(OTHER)
    listed = ["small.csv", Path("other.csv")]
    settings = {"strategy": "random", "report": False}
    drawn = ["strategy.designs=200", "caps.pe_dim=8"]
    both = {"dir": "both", "overrides": [*drawn, "workload.rule=worst"], **settings}
    run = tilegrad.search(listed, **both)
    found = run.result
    assert [each.name for each in found.layers] == ["small.conv", "small.linear", "other.wide"]
    alone = tilegrad.search("other.csv", overrides=drawn, **settings).result
    own = found.networks[1].own
    assert own is not None
    assert (own.edp, own.hardware) == (alone.edp, alone.hardware)
    for each in found.networks:
        assert each.own is not None
        assert each.price == pytest.approx(each.edp / each.own.edp, rel=1e-12)
        layers = [x for x in found.layers if x.name.startswith(f"{each.name}.")]
        assert len(layers) == each.layers
        energy = sum(layer.total_energy_uj for layer in layers)
        cycles = sum(layer.total_cycles for layer in layers)
        assert each.edp == pytest.approx(energy * cycles, rel=1e-12)
    assert found.value == max(each.price or 0.0 for each in found.networks)
    assert list(run.networks["name"]) == ["small", "other"]
    with (directory / "both" / "networks.csv").open(newline="") as file:
        prices = [float(row["price"]) for row in csv.DictReader(file)]
    assert prices == [each.price for each in found.networks]
    capped = ["strategy.designs=200", "caps.pe_dim=8", "caps.latency_ms=1e-5"]
    with pytest.raises(InfeasibleError, match=r"caps\.latency_ms = 1e-05 is below"):
        tilegrad.search(listed, overrides=capped, **settings)
    # Going on with what has ended changes nothing.
    assert tilegrad.search(listed, **both).result == found

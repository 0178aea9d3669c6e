"""load_workload: the packaged networks, paths of every kind, and the config group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hydra.utils import instantiate

from tests.helpers_published import FACTS
from tilegrad.workload import (
    Workload,
    load_workload,
    packaged_networks,
    read_layer_table,
)

CONF = Path(__file__).parents[2] / "conf" / "workload"
LAYERS = {
    "resnet50": 24,
    "bert": 5,
    "unet": 23,
    "retinanet": 22,
    "alexnet": 8,
    "vgg16": 12,
    "resnext50_32x4d": 25,
    "deepbench": 9,
}
TABLE = "layer,R,S,P,Q,C,K\nconv1,3,3,8,8,4,16\n"


def total_macs(workload: Workload) -> int:
    return sum(layer.count * layer.macs for layer in workload)


def test_packaged_networks() -> None:
    assert {name: len(load_workload(source=name)) for name in packaged_networks()} == LAYERS


def test_packaged_table_is_the_published_one() -> None:
    table = FACTS / "dosa" / "layers.csv"
    for name in packaged_networks():
        published, own = read_layer_table(table, name), load_workload(name)
        # The published table has a tracer's numbers for names.
        renamed = [
            replace(layer, name=mine.name) for layer, mine in zip(published, own, strict=True)
        ]
        assert list(own) == renamed


def test_resnet50_has_its_known_macs() -> None:
    assert 3.8e9 < total_macs(load_workload("resnet50")) < 4.2e9


def test_vgg16_has_its_known_macs() -> None:
    # The published table lists distinct layers once; VGG-16 repeats three of them.
    repeated = {"features.12": 2, "features.19": 2, "features.24": 3}
    layers = load_workload("vgg16")
    assert {layer.count for layer in layers} == {1}
    total = sum(repeated.get(layer.name, 1) * layer.macs for layer in layers)
    assert total == pytest.approx(15.47e9, rel=1e-3)


def test_paths_are_read_by_content(tmp_path: Path) -> None:
    (tmp_path / "net.csv").write_text(TABLE)
    item = "{layer: conv1, R: 3, S: 3, P: 8, Q: 8, C: 4, K: 16}"
    (tmp_path / "net.yaml").write_text(f"layers: [{item}]")
    flat = item.replace("layer: conv1, ", "")
    (tmp_path / "conv1.yml").write_text(f"problem: {flat}")
    from_csv = load_workload(path=str(tmp_path / "net.csv"))
    assert load_workload(path=str(tmp_path / "net.yaml")) == from_csv
    assert load_workload(path=str(tmp_path / "conv1.yml")).layers == from_csv.layers
    assert load_workload(path=str(tmp_path / "net.csv"), name="mine").name == "mine"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, ["exactly one", "resnet50"]),
        ({"source": "bert", "path": "net.csv"}, ["exactly one", "'bert'", "'net.csv'"]),
        ({"source": "resnet5"}, ["workload.source", "'resnet5'", "nearest: resnet50"]),
        ({"source": "bert", "network": "vgg16"}, ["'bert'", "network='vgg16'"]),
        ({"path": "nowhere"}, ["nowhere", "no such file"]),
        ({"path": "nowhere.csv"}, ["nowhere.csv", "no such file"]),
        ({"path": "nowhere.yaml"}, ["nowhere.yaml", "No such file"]),
    ],
)
def test_refusals(
    refused: Callable[..., None], arguments: dict[str, str], words: list[str]
) -> None:
    refused(lambda: load_workload(**arguments), *words)


def test_network_is_refused_for_timeloop_problems(
    tmp_path: Path, refused: Callable[..., None]
) -> None:
    refused(lambda: load_workload(path=str(tmp_path), network="a"), str(tmp_path), "network='a'")


@pytest.mark.parametrize("name", LAYERS)
def test_configs_of_the_packaged_networks(name: str) -> None:
    workload = instantiate(yaml.safe_load((CONF / f"{name}.yaml").read_text()))
    assert (workload.name, len(workload)) == (name, LAYERS[name])


def test_config_of_a_table(tmp_path: Path) -> None:
    (tmp_path / "net.csv").write_text(TABLE)
    config = yaml.safe_load((CONF / "table.yaml").read_text())
    assert config["path"] == "???"
    workload = instantiate({**config, "path": str(tmp_path / "net.csv")})
    assert (workload.name, len(workload)) == ("net", 1)

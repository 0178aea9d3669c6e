"""Simulated schedules: legal, fitting, labelled as ``tilegrad evaluate`` would, reproducible."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.helpers_literal import not_proposed
from tilegrad.accelerator import Accelerator, load_accelerator
from tilegrad.cost import layer_cost
from tilegrad.cost.capacity import find_overflows
from tilegrad.errors import ConfigError
from tilegrad.mapping.shorthand import format_shorthand, parse_shorthand
from tilegrad.mapping.validity import find_violations
from tilegrad.nest import analyse
from tilegrad.schedules import Schedules, SimulatedSchedules
from tilegrad.shape import packaged_shape
from tilegrad.workload import Problem, Workload, load_workload

pytestmark = pytest.mark.usefixtures("blank")


def simulated(tmp_path: Path, accelerator: str = "gemmini", **options: Any) -> SimulatedSchedules:
    """Return a source of few schedules of three networks' kinds of layers."""
    layers = (*load_workload("resnet50").layers[:3], load_workload("bert").layers[0])
    settings = {"machines": 4, "each": 4, "cache": str(tmp_path), "workers": 2} | options
    return SimulatedSchedules(load_accelerator(accelerator), Workload("few", layers), **settings)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where schedules for all tests lie."""
    return tmp_path_factory.mktemp("schedules")


def assert_equal(left: Schedules, right: Schedules) -> None:
    """Compare all rows bit by bit."""
    for one, other in (
        (left.nests.temporal, right.nests.temporal),
        (left.nests.spatial, right.nests.spatial),
        (left.nests.order, right.nests.order),
        (left.layer, right.layer),
        (left.machine, right.machine),
        *((left.targets[name], right.targets[name]) for name in left.targets),
        *((left.hardware[name], right.hardware[name]) for name in left.hardware),
    ):
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", ["gemmini", "simba", "eyeriss", "nvdla_small", "nvdla_large"])
def test_every_row_is_legal_fits_and_has_the_cost_of_the_nest(cache: Path, name: str) -> None:
    found = simulated(cache, name).load()
    machines = 4 if name == "gemmini" else 1
    assert len(found) == machines * 4 * 4
    assert len(found.machine_names) == machines
    assert not find_violations(found.nests, found.bounds, found.accelerator)
    for row in range(len(found)):
        assert not not_proposed(found.nests[row], found.accelerator)
        hardware = {name: float(values[row]) for name, values in found.hardware.items()}
        # One by one and through text: no batch, no shared code with the drawing.
        text = format_shorthand(found.nests[row], found.accelerator)
        nests = parse_shorthand(text, found.accelerator).each(lambda part: part.unsqueeze(0))
        nest = analyse(nests, found.strides[row], found.accelerator)
        assert not find_overflows(nest, found.accelerator, hardware)
        cost = layer_cost(nest, found.accelerator, hardware)
        energy = float(cost.energy_pj) * 1e-6
        assert float(found.targets["latency"][row]) == float(cost.cycles)
        assert float(found.targets["energy"][row]) == pytest.approx(energy, rel=1e-12)
        edp = float(cost.cycles) * energy
        assert float(found.targets["edp"][row]) == pytest.approx(edp, rel=1e-12)


def test_ids_are_of_the_rows_layers_and_machines(cache: Path) -> None:
    source = simulated(cache)
    found = source.load()
    assert found.layer_names == tuple(layer.name for layer in source.workload)
    for row in range(len(found)):
        layer = source.workload.layers[int(found.layer[row])]
        assert tuple(found.bounds[row].tolist()) == layer.bounds
        assert tuple(found.strides[row].tolist()) == layer.strides
        named = ", ".join(f"{n}={float(v[row]):g}" for n, v in found.hardware.items())
        assert found.machine_names[int(found.machine[row])] == named
    pairs = torch.stack([found.layer, found.machine], 1).unique(dim=0, return_counts=True)
    assert pairs[1].tolist() == [4] * (4 * 4)
    assert found.network_names == ("few",)


def test_orders_are_as_text_gives_them(cache: Path) -> None:
    found = simulated(cache).load()
    for row in range(len(found)):
        text = format_shorthand(found.nests[row], found.accelerator)
        read = parse_shorthand(text, found.accelerator)
        assert torch.equal(read.order, found.nests.order[row])
        assert torch.equal(read.temporal, found.nests.temporal[row])
        assert torch.equal(read.spatial, found.nests.spatial[row])


def test_neither_workers_nor_the_cache_change_what_is_made(tmp_path: Path) -> None:
    alone = simulated(tmp_path / "one", workers=1).load()
    assert_equal(alone, simulated(tmp_path / "four", workers=4).load())
    assert_equal(alone, simulated(tmp_path / "one").load())
    parts = list(simulated(tmp_path / "one").stream())
    assert [len(part) for part in parts] == [16] * 4
    assert torch.equal(torch.cat([part.targets["edp"] for part in parts]), alone.targets["edp"])


def test_another_config_has_another_directory(tmp_path: Path) -> None:
    source = simulated(tmp_path)
    others = [
        simulated(tmp_path, seed=1),
        simulated(tmp_path, each=5),
        simulated(tmp_path, machines=8),
        simulated(tmp_path, hardware={"pe_dim": 16}),
        simulated(tmp_path, "simba"),
    ]
    assert len({str(other.directory) for other in (source, *others)}) == 6
    assert simulated(tmp_path, workers=1).directory == source.directory
    assert not torch.equal(
        simulated(tmp_path, seed=1).load().targets["latency"], source.load().targets["latency"]
    )


def test_hardware_follows_its_ranges(tmp_path: Path) -> None:
    ranges = {"pe_dim": [4, 16], "scratchpad_kb": {"low": 8, "high": 11}, "accumulator_kb": 64}
    found = simulated(tmp_path, machines=50, each=1, hardware=ranges).load()
    assert set(found.hardware["pe_dim"].tolist()) == {4, 16}
    assert set(found.hardware["scratchpad_kb"].tolist()) == {8, 9, 10, 11}
    assert set(found.hardware["accumulator_kb"].tolist()) == {64}
    assert len(found.machine_names) == 8
    (finding,) = found.findings
    assert finding.rows == 8
    assert "of 50 asked for" in finding.what


def test_mappings_are_uniform_over_those_that_fit(tmp_path: Path) -> None:
    """All mappings of a tiny layer, listed by brute force, come equally often."""
    layer = Problem("tiny", (1, 1, 2, 1, 3, 4, 1))
    hardware = {"pe_dim": 2, "scratchpad_kb": 1, "accumulator_kb": 1}
    source = SimulatedSchedules(
        load_accelerator("gemmini"),
        Workload("tiny", (layer,)),
        machines=1,
        each=40_000,
        hardware=hardware,
        cache=str(tmp_path),
    )
    found = source.load()
    factors = torch.cat([found.nests.temporal.flatten(1), found.nests.spatial.flatten(1)], 1)
    _, counts = factors.unique(dim=0, return_counts=True)
    # P: 2 on L0, L1 or DRAM; C: 3 on L1 or DRAM (3 rows are too many); K: 4 over L1, columns, DRAM
    # with at most 2 columns.
    assert len(counts) == 3 * 2 * 5
    expected = 40_000 / len(counts)
    spread = float(((counts - expected) ** 2 / expected).sum())
    # Chi-squared with 29 degrees of freedom exceeds 66 once in 10,000; the seed is fixed.
    assert spread < 66


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"machines": 0}, "source.machines is 0; legal: an integer >= 1"),
        ({"each": 2.5}, "source.each is 2.5"),
        ({"seed": -1}, "source.seed is -1"),
        ({"hardware": {"pe_dims": 4}}, "unknown hardware parameter 'pe_dims'.*nearest: pe_dim"),
        ({"hardware": {"pe_dim": 0}}, r"source.hardware.pe_dim: 0 is not legal"),
        ({"hardware": {"pe_dim": "big"}}, r"source.hardware.pe_dim: 'big' is not legal"),
        ({"hardware": {"pe_dim": {"low": 9, "high": 3}}}, r"low=9, high=3 \(legal"),
        ({"hardware": {"pe_dim": {"lo": 9}}}, r"unknown field 'lo'.*nearest: low"),
        ({"hardware": {"pe_dim": [4, 4]}}, "distinct"),
    ],
)
def test_bad_settings_are_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        simulated(tmp_path, **options)


def test_layers_of_other_shapes_are_refused_by_name() -> None:
    layer = Problem("product", (4, 8, 16), shape=packaged_shape("matmul"))
    with pytest.raises(ConfigError, match=r"layer 'product' is a matmul.*legal: conv of one group"):
        SimulatedSchedules(load_accelerator("gemmini"), Workload("one", (layer,)))


def test_accelerator_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"source.accelerator is 'gemmini'"):
        SimulatedSchedules("gemmini", load_workload("bert"), cache=str(tmp_path))  # type: ignore[arg-type]


def test_smallest_buffers_still_get_mappings(tmp_path: Path) -> None:
    accelerator: Accelerator = load_accelerator("gemmini")
    tight = {"pe_dim": 128, "accumulator_kb": 1, "scratchpad_kb": 1}
    source = SimulatedSchedules(
        accelerator, load_workload("bert"), machines=1, hardware=tight, cache=str(tmp_path)
    )
    found = source.load()
    nest = analyse(found.nests, found.strides, accelerator)
    assert not find_overflows(nest, accelerator, found.hardware)

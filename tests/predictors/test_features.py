"""Feature sets: slopes, names, and columns against the loop nest and the layers' cost."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from torch import Tensor

from tests.cost.contract import DifferentiableModel
from tests.helpers import gemmini, plain
from tests.helpers_schedules import MadeSchedules, made_schedules
from tests.predictors.helpers import rows, schedules
from tilegrad.accelerator import ACCESSES, load_accelerator
from tilegrad.accelerator.library import packaged_accelerators
from tilegrad.cost import infer_hardware, layer_cost
from tilegrad.cost.footprint import footprint
from tilegrad.datamodules import feature_rows
from tilegrad.errors import ConfigError
from tilegrad.mapping import LoopNest
from tilegrad.nest import analyse
from tilegrad.predictors import Schema
from tilegrad.predictors.features import FEATURE_SETS, feature_set
from tilegrad.predictors.features.raw import loops_inside
from tilegrad.shape.conv import DIMS

MACHINE = {"pe_dim": 16.0, "scratchpad_kb": 128.0, "accumulator_kb": 32.0}


class FeatureContract(DifferentiableModel):
    """Columns are differentiable in the mapping, and those of integers where factors are whole."""

    features: ClassVar[str]

    @classmethod
    def evaluate(cls, mapping: LoopNest, strides: Tensor) -> dict[str, Tensor]:
        features, accelerator = feature_set(cls.features), gemmini()
        bounds = mapping.temporal.prod(-2) * mapping.spatial.prod(-2).prod(-2)
        sums = footprint(analyse(mapping, strides, accelerator), accelerator)
        context = features.context(mapping, bounds, strides, accelerator)
        columns = features.columns(sums, context, accelerator, MACHINE)
        names = [column.name for column in features.schema(accelerator)]
        # Slopes of logs: "all " is the group whose largest value the rounding goes by.
        return {f"all {n}": c for n, c in zip(names, columns.unbind(-1), strict=True)}


class TestRaw(FeatureContract):
    features = "raw"


class TestAnalytical(FeatureContract):
    features = "analytical"


EVERYWHERE = [
    (features, name)
    for features in sorted(FEATURE_SETS)
    for name in packaged_accelerators()
    # Gemmini's own commands say nothing of others.
    if features != "commands" or name == "gemmini"
]


@pytest.mark.parametrize(("features", "name"), EVERYWHERE)
def test_columns_are_named_finite_and_vary(features: str, name: str) -> None:
    accelerator = load_accelerator(name)
    made = MadeSchedules(machines=1, each=3)
    columns = feature_set(features).schema(accelerator)
    assert len({column.name for column in columns}) == len(columns)
    assert all(column.unit for column in columns)
    found = feature_rows(made_schedules(made, accelerator), feature_set(features), ["latency"])
    assert found.features.shape == (made.layers * made.each, len(columns))
    assert found.features.isfinite().all()
    assert (found.features.amax(0) > found.features.amin(0)).sum() > 10


def analytical() -> dict[str, Tensor]:
    """Return the analytical columns of the made schedules, no logs, by name."""
    names = Schema.of("analytical", schedules().accelerator, ["latency"]).columns
    values = rows("analytical").features.double().exp().unbind(-1)
    return dict(zip(names, values, strict=True))


def test_the_largest_roofline_column_is_the_latency() -> None:
    made = schedules()
    columns = [v for name, v in analytical().items() if name.startswith("roofline.")]
    cost = layer_cost(
        analyse(made.nests, made.strides, made.accelerator), made.accelerator, made.hardware
    )
    # The cost is rounded up to whole cycles.
    latency = torch.stack(columns).amax(0)
    assert (latency < cost.cycles * (1 + 1e-5)).all()
    assert (latency > (cost.cycles - 1) * (1 - 1e-5)).all()


def test_traffic_is_the_nests_words_over_all_instances() -> None:
    made = schedules()
    nest = analyse(made.nests, made.strides, made.accelerator)
    columns = analytical()
    for index, level in enumerate(made.accelerator.levels):
        for kind in ACCESSES:
            words = torch.zeros(len(made), dtype=torch.float64)
            for kept in nest.accesses[index].values():
                words += getattr(kept, kind) * nest.instances[index]
            found = columns[f"traffic.{level.name}.{kind}"]
            torch.testing.assert_close(found, words.clamp(min=1), rtol=1e-5, atol=0)


def test_utilisation_is_the_share_of_busy_units() -> None:
    made = schedules()
    nest = analyse(made.nests, made.strides, made.accelerator)
    expected = nest.macs / nest.steps / made.hardware["pe_dim"] ** 2
    torch.testing.assert_close(analytical()["utilisation.arithmetic"], expected, rtol=1e-5, atol=0)
    assert expected.max() <= 1


def test_occupancy_is_the_need_over_the_capacity() -> None:
    made, columns = schedules(), analytical()
    for row in range(0, len(made), 17):
        nest = analyse(made.nests[[row]], made.strides[[row]], made.accelerator)
        mesh = float(made.hardware["pe_dim"][row])
        needed = infer_hardware(made.accelerator, nest, {"pe_dim": mesh}, exact=False)
        for level in ("scratchpad", "accumulator"):
            name = f"{level}_kb"
            share = columns[f"occupancy.{level.capitalize()}"][row]
            kilobytes = (share * made.hardware[name][row]).clamp(min=1)
            torch.testing.assert_close(kilobytes, needed[name].double(), rtol=1e-5, atol=0)


def test_loops_inside_are_counted_as_by_hand() -> None:
    made = schedules()
    found = loops_inside(made.nests)
    for row in range(0, len(made), 13):
        nest = made.nests[row]
        for level in range(nest.temporal.shape[-2]):
            factors = nest.temporal[level].tolist()
            outermost_first = nest.order[level].tolist()
            for place, dim in enumerate(outermost_first):
                within = sum(factors[other] > 1 for other in outermost_first[place + 1 :])
                expected = within if factors[dim] > 1 else 0
                assert found[row, level, dim] == expected


def test_raw_columns_are_the_schedules_own_numbers() -> None:
    made = schedules()
    names = Schema.of("raw", made.accelerator, ["latency"]).columns
    columns = dict(zip(names, rows("raw").features.double().unbind(-1), strict=True))
    for dim, bounds in zip(DIMS, made.bounds.unbind(-1), strict=True):
        factors = [v for n, v in columns.items() if n.startswith(("temporal", "spatial"))
                   and n.endswith(f".{dim}")]  # fmt: skip
        torch.testing.assert_close(columns[f"bound.{dim}"].exp(), bounds, rtol=1e-5, atol=0)
        product = torch.stack(factors).sum(0).exp()
        torch.testing.assert_close(product, bounds, rtol=1e-5, atol=0)
    for name, values in made.hardware.items():
        torch.testing.assert_close(columns[f"hardware.{name}"].exp(), values, rtol=1e-5, atol=0)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"'analitical'.*nearest: analytical"):
        feature_set("analitical")
    schema = Schema.of("raw", plain("timeloop"), ["latency"])
    with pytest.raises(ConfigError, match=r"features=raw has no columns roofline"):
        schema.places("roofline")
    with pytest.raises(ConfigError, match=r"'latencies'.*nearest: latency"):
        Schema.of("raw", plain("timeloop"), ["latencies"])
    for none in ([], ["edp", "edp"]):
        with pytest.raises(ConfigError, match="one or more of latency, energy, edp, each once"):
            Schema.of("raw", plain("timeloop"), none)
    assert Schema.of("raw", plain("timeloop"), "edp").targets == ("edp",)

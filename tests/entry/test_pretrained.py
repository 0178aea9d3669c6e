"""``search.py ckpt=gemmini_rtl``: what comes with the package, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.entry.conftest import TABLE
from tests.helpers import gemmini
from tests.helpers_predictors import predictor, save
from tests.helpers_published import Table
from tests.helpers_scripts import Command
from tilegrad.cost.footprint import footprint
from tilegrad.datamodules import feature_rows
from tilegrad.mapping.shorthand import parse_shorthand
from tilegrad.nest import analyse
from tilegrad.predictors import Pipeline, load_predictor, ranking_metrics
from tilegrad.predictors.features import feature_set
from tilegrad.pretrained import checkpoint_path, pretrained_names
from tilegrad.schedules import PublishedTable
from tilegrad.workload import load_workload

RUN = (
    *("workload=small.csv", "strategy.starts=2", "strategy.steps=3"),
    *("strategy.polish_rows=1000", "strategy.polish_rounds=1"),
    *("report=false", "progress=false", "dir=run"),
)
NAMED = ("ckpt=gemmini_rtl",)


def result() -> dict[str, Any]:
    return dict(json.loads(Path("run/result.json").read_text()))


def occupancies(found: dict[str, Any], table: str = "small.csv") -> torch.Tensor:
    """Return the log shares of the memories that the found tiles take, ``[layer, memory]``."""
    commands = feature_set("commands")
    names = [column.name for column in commands.schema(gemmini())]
    hardware = {name: float(size) for name, size in found["hardware"].items()}
    rows = []
    for layer, problem in zip(found["layers"], load_workload(path=table).layers, strict=True):
        nest = parse_shorthand(layer["mapping"], gemmini())
        bounds, strides = (
            torch.tensor(values, dtype=torch.float64)
            for values in (problem.bounds, problem.strides)
        )
        sums = footprint(analyse(nest, strides, gemmini()), gemmini())
        context = commands.context(nest, bounds, strides, gemmini())
        columns = commands.columns(sums, context, gemmini(), hardware)
        rows.append(columns[[names.index(limit) for limit in commands.limits]])
    return torch.stack(rows)


def test_a_search_predicts_cycles_with_intervals_and_tiles_that_fit(command: Command) -> None:
    ended = command(*RUN, *NAMED)
    assert ended.code == 0, ended.err
    found = result()
    predicted = found["predicted"]
    assert predicted["model"] == "pipeline (commands features), gemmini_rtl"
    assert predicted["level"] == 0.9
    assert 0 < predicted["cycles_low"] < predicted["cycles"] < predicted["cycles_high"]
    assert predicted["edp"] == pytest.approx(found["energy_uj"] * predicted["cycles"])
    totals = {"predicted_cycles": "cycles", "low": "cycles_low", "high": "cycles_high"}
    for layer in found["layers"]:
        layer["low"], layer["high"] = layer["predicted_interval"]
        macs = torch.tensor(list(layer["problem"].values()), dtype=torch.float64)[:7].prod()
        assert layer["predicted_cycles"] >= float(macs) / found["hardware"]["pe_dim"] ** 2
    for of_layer, total in totals.items():
        added = sum(layer["count"] * layer[of_layer] for layer in found["layers"])
        assert added == pytest.approx(predicted[total])
    assert occupancies(found).max() <= 1e-6


def test_tiles_that_only_the_nest_takes_for_fitting_are_told(command: Command) -> None:
    """Channels of one word each: rows of the array are whole, so that they need many of them."""
    rows = ("thin,1,1,64,16,1,1", "plain,1,1,16,1,16,16", "odd,3,2,4,4,8,8")
    Path("thin.csv").write_text("\n".join(("layer,R,S,P,Q,C,K", *rows)))
    drawn = ("workload=thin.csv", "strategy=random", "strategy.designs=1", "hardware.pe_dim=16")
    assert command(*drawn, *RUN[-3:], *NAMED).code == 0
    found = result()
    told = [text for text in found["warnings"] if "whole rows of the array" in text]
    occupied = occupancies(found, "thin.csv").exp()
    assert bool(told) == bool((occupied > 1.00001).any())
    for layer, shares in zip(found["layers"], occupied.tolist(), strict=True):
        for memory, share in zip(("scratchpad", "accumulator"), shares, strict=True):
            text = f"{layer['name']!r} {share:.3g} times the {memory}"
            assert any(text in each for each in told) == (share > 1.00001)
    assert told
    (alone,) = [text for text in found["warnings"] if "has no program" in text]
    assert alone.endswith("('odd': kernel 3 x 2 (legal for tiled_conv: equal along both axes))")


def test_a_cautious_search_is_another_search(command: Command) -> None:
    fixed = ("strategy=random", "strategy.designs=20", "workload=small.csv", *RUN[-3:], *NAMED)
    assert command(*fixed, "ckpt_upper=0.9").code == 0
    assert occupancies(result()).max() <= 1e-6
    for level, there in (("null", "None"), ("0.8", "0.8")):
        ended = command(*fixed, f"ckpt_upper={level}")
        assert ended.code == 2
        assert f"another ckpt_upper (0.9 there, {there} here)" in ended.err


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("ckpt_upper=0.9",), ("ckpt_upper is 0.9 without a ckpt", "legal: null")),
        ((*NAMED, "ckpt_upper=0"), ("ckpt_upper is 0", "legal: a number > 0 and < 1")),
        ((*NAMED, "ckpt_upper=1"), ("ckpt_upper is 1", "legal: a number > 0 and < 1")),
        ((*NAMED, "ckpt_upper=nan"), ("ckpt_upper is nan", "legal: a number > 0 and < 1")),
        ((*NAMED, "ckpt_upper=high"), ("ckpt_upper is 'high'", "legal: a number > 0 and < 1")),
        (
            ("ckpt=linear.ckpt", "ckpt_upper=0.9"),
            ("ckpt_upper is 0.9", "ckpt=linear.ckpt (linear) has no intervals", "legal: null"),
        ),
        (
            ("ckpt=gemini_rtl",),
            ("ckpt=gemini_rtl does not exist", "(gemmini_rtl); nearest: gemmini_rtl"),
        ),
        ((*NAMED, "accelerator=eyeriss"), ("gemmini", "eyeriss")),
    ],
)
def test_what_is_refused(
    command: Command, directory: Path, arguments: tuple[str, ...], names: tuple[str, ...]
) -> None:
    assert (directory / "small.csv").read_text() == TABLE
    save(predictor("linear", load_workload(path="small.csv")), Path("linear.ckpt"))
    ended = command(*RUN, *arguments)
    assert ended.code == 2
    assert not [name for name in names if name not in ended.err], ended.err
    assert not Path("run").exists()


def test_the_packaged_checkpoint_is_a_calibrated_pipeline() -> None:
    assert pretrained_names() == ["gemmini_rtl"]
    model = load_predictor(checkpoint_path("gemmini_rtl"), gemmini())
    assert isinstance(model, Pipeline)
    assert model.band.calibrated
    assert model.schema.targets == ("latency",)


def test_the_packaged_checkpoint_knows_the_table_that_it_was_trained_on(
    rtl_rows: Table,
) -> None:
    """Of packaging alone: how well it predicts unseen layers is another matter."""
    schedules = PublishedTable("gemmini_rtl", gemmini(), path=str(rtl_rows.path)).load()
    rows = feature_rows(schedules, feature_set("commands"), ["latency"])
    model = load_predictor(checkpoint_path("gemmini_rtl"), gemmini())
    predicted = model(rows.features).squeeze(-1).double().numpy()
    measured = rows.targets[:, 0].double().log().numpy()
    groups = {"layer": rows.layer.numpy(), "machine": rows.machine.numpy()}
    found = ranking_metrics(predicted, measured, groups)
    assert found["pair_accuracy_micro"] > 0.93
    assert found["mape"] < 0.1
    widths = model.half_width(rows.features, 0.9)
    assert widths is not None
    inside = abs(predicted - measured) <= widths.squeeze(-1).double().numpy()
    # Calibrated on layers left out; those seen are nearer.
    assert inside.mean() > 0.9

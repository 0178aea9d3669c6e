"""The pictures: sizes, ink, values drawn, and nothing left behind in matplotlib."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from numpy.typing import NDArray

from tilegrad.record import Result, parse_result
from tilegrad.report import History, edp_against_samples, layer_costs, png_bytes
from tilegrad.report.bars import shortened
from tilegrad.workload import Problem, Workload

Record = dict[str, Any]


def pixels(figure: Figure) -> NDArray[Any]:
    image = imread(io.BytesIO(png_bytes(figure)), format="png")
    height, width = image.shape[:2]
    inches = figure.get_size_inches()
    assert (width, height) == pytest.approx(tuple(120 * inches), abs=1)
    assert len(np.unique(image[..., :3].sum(-1))) > 20
    return image


def test_curve_goes_on_to_the_last_sample(record: Record) -> None:
    history = History((100, 2000, 2500), (0.5, 2.5, 3), (9e12, 4e12, 3e12))
    figure = edp_against_samples(history, parse_result(record))
    axes = figure.axes[0]
    samples, values = axes.lines[0].get_data()
    assert list(samples) == [100, 2000, 2500, 123456]
    assert list(values) == [9e12, 4e12, 3e12, 3e12]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.get_ylabel() == "EDP of the best design so far [µJ·cycles]"
    pixels(figure)


def test_curve_marks_the_time(record: Record) -> None:
    history = History((100, 10000), (1, 10), (9e12, 4e12))
    result = parse_result(record | {"samples": 10000, "seconds": 10})
    top = edp_against_samples(history, result).axes[0].child_axes[0]
    labels = [label.get_text() for label in top.get_xticklabels()]
    assert dict(zip(labels, top.get_xticks(), strict=True))["10 s"] == pytest.approx(10000)
    assert "5 s" in labels


def test_curve_of_one_sample(record: Record) -> None:
    history = History((1,), (0.0,), (9e12,))
    result = parse_result(record | {"samples": 1, "seconds": 0.0})
    pixels(edp_against_samples(history, result))


def test_narrow_curve_has_several_marks(record: Record) -> None:
    history = History((0, 7, 50), (0.0, 0.1, 0.2), (1.8e13, 1.1e13, 0.9e13))
    axes = edp_against_samples(history, parse_result(record)).axes[0]
    lowest, highest = axes.get_ylim()
    assert sum(lowest <= tick <= highest for tick in axes.get_yticks()) >= 4


def test_curve_names_another_objective(record: Record) -> None:
    history = History((1, 2), (0.1, 0.2), (9e9, 8e9))
    figure = edp_against_samples(history, parse_result(record | {"objective": "latency"}))
    assert figure.axes[0].get_ylabel().endswith("(best by latency)")


def test_bars_add_up_to_the_network(record: Record) -> None:
    energy, latency = layer_costs(parse_result(record)).axes
    layers = record["layers"]
    assert sum(bar.get_width() for bar in energy.patches) == pytest.approx(100)
    assert sum(bar.get_width() for bar in latency.patches) == pytest.approx(100)
    total = sum(layer["count"] * layer["cycles"] for layer in layers)
    for bar, text, layer in zip(latency.patches, latency.texts, layers, strict=True):
        assert bar.get_width() == pytest.approx(100 * layer["count"] * layer["cycles"] / total)
        assert text.get_text().endswith(layer["bottleneck"])


def test_marks_stand_where_the_other_parts_would_be_done(record: Record) -> None:
    record["layers"] = record["layers"][:1]
    layer = record["layers"][0] | {"cycles": 100.0, "bottleneck": "DRAM"}
    needs = (20.0, 20.0, 50.0, 20.0, 100.0)
    layer["cycles_by_part"] = dict(zip(layer["cycles_by_part"], needs, strict=True))
    record |= {"layers": [layer], "cycles": 100.0 * layer["count"]}
    latency = layer_costs(parse_result(record)).axes[1]
    places = [lines.get_segments()[0][0][0] for lines in latency.collections]
    assert places == [20.0, 50.0]


@pytest.mark.parametrize("count", [1, 30])
def test_figure_grows_with_the_layers(count: int, record_of: Callable[[Workload], Record]) -> None:
    layers = tuple(
        Problem(f"stage.{i}.a_very_long_block_name.convolution", (3, 3, 7, 7, 16, i + 1, 1))
        for i in range(count)
    )
    figure = layer_costs(parse_result(record_of(Workload("deep", layers))))
    image = pixels(figure)
    assert image.shape[0] / 120 == pytest.approx(2.1 + 0.31 * count, abs=0.1)
    assert len(figure.axes[0].get_yticklabels()) == count


def test_long_names_lose_their_middle() -> None:
    assert shortened("conv1") == "conv1"
    short = shortened("backbone.layer1.block2.downsample.convolution", 20)
    assert len(short) == 20
    assert short.startswith("backbo")
    assert short.endswith("convolution")


def settings() -> dict[str, Any]:
    """Return matplotlib's settings but for the backend, which reading would choose."""
    names = [name for name in matplotlib.rcParams if name != "backend"]
    return {name: matplotlib.rcParams[name] for name in names}


def test_settings_are_neither_used_nor_changed(record: Record) -> None:
    result: Result = parse_result(record)
    plain = png_bytes(layer_costs(result))
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        before = settings()
        assert png_bytes(layer_costs(result)) == plain
        assert settings() == before


@pytest.mark.slow
def test_no_window_system_is_asked_for(record: Record) -> None:
    """Pictures are drawn without pyplot, whose settings all code of a process shares."""
    drawing = (
        "import json, sys; from tilegrad.record import parse_result; "
        "from tilegrad.report import layer_costs, png_bytes; "
        "png_bytes(layer_costs(parse_result(json.load(sys.stdin)))); "
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", drawing],
        input=json.dumps(record),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
        check=False,
    )
    assert ended.returncode == 0

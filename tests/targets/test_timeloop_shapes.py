"""Layers of any shape to Timeloop's files and back, on every packaged accelerator."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers import default_sizes
from tests.targets.test_timeloop_nests import same
from tilegrad.accelerator import load_accelerator, packaged_accelerators
from tilegrad.cli import main
from tilegrad.mapping import LoopNest, format_shorthand, parse_shorthand
from tilegrad.mapping.sampling import Sampler
from tilegrad.shape import build_shape, packaged_shape, packaged_shapes
from tilegrad.shape.conv import CONV
from tilegrad.targets.design import Design
from tilegrad.targets.timeloop.export import export_design
from tilegrad.targets.timeloop.imports import read_mapping, spatial_targets
from tilegrad.targets.timeloop.names import Names, dim_letters
from tilegrad.targets.timeloop.nests import DIALECTS
from tilegrad.targets.timeloop.problems import problem_document
from tilegrad.workload import Problem, read_layer_table, read_timeloop_problem
from tilegrad.workload.timeloop_yaml import timeloop_names

LINE = build_shape(
    {
        "name": "line",
        "dims": ["P", "R", "C", "K", "N"],
        "coefficients": {"stride": 1},
        "tensors": {
            "Weights": ["R", "C", "K"],
            "Inputs": ["N", "C", "P * stride + R * 2"],
            "Outputs": ["N", "K", "P"],
        },
    },
    "here",
)
"""A strided convolution along one axis, of a dilation that no layer changes."""

SHAPES = {**{name: packaged_shape(name) for name in packaged_shapes()}, "plain conv": CONV}


@st.composite
def layers(draw: st.DrawFn, name: str) -> Problem:
    shape = SHAPES[name]
    bounds = draw(st.tuples(*[st.sampled_from([1, 2, 4, 6, 12])] * len(shape.dims)))
    strides = draw(st.tuples(*[st.integers(1, 3)] * len(shape.coefficients)))
    fields = dict(zip(shape.fields, (*bounds, *strides), strict=True))
    return Problem.from_fields("layer", fields, shape=shape)


def drawn(problem: Problem, accelerator: str, seed: int) -> LoopNest:
    """Return a random mapping; where a level spreads a dim along X and Y, X has it alone."""
    template = load_accelerator(accelerator)
    running, sizes = template.running(problem.shape), default_sizes(template)
    source = torch.Generator().manual_seed(seed)
    mapping = Sampler(running, problem, sizes).draw(1, source)[0]
    both = (mapping.spatial[:, :1] > 1) & (mapping.spatial[:, 1:] > 1)
    taken = torch.where(both, mapping.spatial[:, 1:], 1.0).squeeze(1)
    spatial = mapping.spatial.clone()
    spatial[:, 1:] = torch.where(both, 1.0, spatial[:, 1:])
    temporal = mapping.temporal.clone()
    temporal[-1] *= taken.prod(0)
    return LoopNest(temporal, spatial, mapping.order)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("accelerator", packaged_accelerators())
@given(data=st.data())
@settings(max_examples=1)
def test_problem_and_mapping_come_back(name: str, accelerator: str, data: st.DataObject) -> None:
    problem = data.draw(layers(name))
    mapping = drawn(problem, accelerator, data.draw(st.integers(0, 2**31)))
    template = load_accelerator(accelerator)
    design = Design(template, default_sizes(template), ((problem, mapping),))
    for dialect in DIALECTS:
        with TemporaryDirectory() as folder:
            (directory,) = export_design(design, dialect, Path(folder))
            found = read_timeloop_problem(directory / "problem.yaml")
            assert found.signature == problem.signature
            names = Names.of(found.shape, timeloop_names(directory / "problem.yaml"))
            targets = spatial_targets(Path(folder) / "architecture.yaml")
            there = template.running(found.shape)
            assert same(read_mapping(directory / "mapping.yaml", there, targets, names), mapping)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_shape_of_ones_own_is_imported_with_its_file(dialect: str, tmp_path: Path) -> None:
    problem = Problem("layer", (12, 3, 8, 16, 2), (2,), shape=LINE)
    mapping = drawn(problem, "simba", 3)
    design = Design(load_accelerator("simba"), {}, ((problem, mapping),))
    (directory,) = export_design(design, dialect, tmp_path / "out")
    files = [directory / "problem.yaml", directory / "mapping.yaml"]
    arguments = [str(tmp_path / "out" / "architecture.yaml")]
    arguments += ["--problem", str(files[0]), "--mapping", str(files[1])]
    assert main(["import", *arguments, "--out", str(tmp_path / "in")]) == 0
    (layer,) = read_layer_table(tmp_path / "in" / "layer.csv")
    assert layer.shape.described()["tensors"]["Inputs"] == ["N", "C", "P * stride + R * times2"]
    assert layer.as_dict() == {**problem.as_dict(), "times2": 2}
    text = (tmp_path / "in" / "mapping.txt").read_text().strip()
    assert text == format_shorthand(mapping, design.accelerator.running(LINE))


def test_data_spaces_of_other_names_are_imported(tmp_path: Path) -> None:
    """As a matrix product in the public exercises: A x B = Z."""
    problem = Problem("layer", (6, 8, 4, 2), shape=packaged_shape("batched_matmul"))
    mapping = drawn(problem, "simba", 4)
    design = Design(load_accelerator("simba"), {}, ((problem, mapping),))
    (directory,) = export_design(design, "0.3", tmp_path / "out")
    for name in ("problem", "mapping"):
        path = directory / f"{name}.yaml"
        text = path.read_text().replace("Weights", "B").replace("Outputs", "Z")
        path.write_text(text.replace("Inputs", "A"))
    arguments = [str(tmp_path / "out" / "architecture.yaml"), "--problem"]
    arguments += [str(directory / "problem.yaml"), "--mapping", str(directory / "mapping.yaml")]
    assert main(["import", *arguments, "--out", str(tmp_path / "in")]) == 0
    (layer,) = read_layer_table(tmp_path / "in" / "layer.csv")
    # Unnamed operands: the first that is read is Inputs, here what was Weights.
    swapped = problem.shape.described()["tensors"]
    assert layer.shape.described()["tensors"]["Inputs"] == swapped["Weights"]
    text = (tmp_path / "in" / "mapping.txt").read_text()
    assert "[WIO]" in text
    there = load_accelerator(str(tmp_path / "in" / "accelerator.yaml"))
    buffer = next(level for level in there.levels if level.name == "WeightBuffer")
    assert buffer.keeps == ("Inputs",)
    found = parse_shorthand(text.strip(), there.running(layer.shape))
    assert torch.equal(found.temporal, mapping.temporal)
    assert torch.equal(found.spatial, mapping.spatial)


def test_dims_of_long_names_have_letters_in_timeloop() -> None:
    tensors = {"Weights": ["R", "out", "col"], "Inputs": ["row", "col"], "Outputs": ["row", "out"]}
    stated = {"name": "long", "dims": ["row", "R", "col", "out"], "tensors": tensors}
    long = build_shape(stated, "here")
    assert dim_letters(long) == {"row": "O", "R": "R", "col": "C", "out": "U"}
    document = problem_document(Problem("layer", (2, 3, 4, 5), shape=long), "0.3")["problem"]
    assert document["shape"]["dimensions"] == ["O", "R", "C", "U"]
    assert document["instance"] == {"O": 2, "R": 3, "C": 4, "U": 5}
    assert document["shape"]["data-spaces"][1]["projection"] == [[["O"]], [["C"]]]

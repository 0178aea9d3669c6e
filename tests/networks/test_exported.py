"""Modules as workloads: layers, names, and nothing dropped unsaid; MACs by another counter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.networks import modules
from tests.networks.helpers import by_name, counter_macs, macs, sizes
from tilegrad.networks.exported.load import from_module, load_exported
from tilegrad.workload import Workload

INPUTS: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "products": (modules.Products(), (2, 5, 16)),
    "grouped": (modules.Grouped(fused=False), (2, 5, 16)),
    "tower": (modules.Tower(), (2, 3, 16, 16)),
    "lines": (modules.Lines(), (6, 16)),
    "recurrent": (modules.Recurrent(), (3, 5, 8)),
}


@pytest.fixture(scope="module", params=INPUTS)
def case(request: pytest.FixtureRequest) -> tuple[Workload, int]:
    """Return a workload and the counter's MACs."""
    module, shape = INPUTS[request.param]
    return from_module(module, torch.zeros(shape)), counter_macs(module, torch.zeros(shape))


def test_macs_are_those_of_an_independent_counter(case: tuple[Workload, int]) -> None:
    workload, counted = case
    assert workload.coverage is not None
    assert macs(workload) == workload.coverage.macs == counted
    assert workload.coverage.share == 1
    assert not workload.coverage.unknown


def test_layers_have_their_modules_names_and_sizes() -> None:
    tower = by_name(from_module(modules.Tower(), torch.zeros(2, 3, 16, 16)))
    assert sizes(tower["stem"], "R", "S", "P", "Q", "Wstride", "Hstride") == (5, 3, 16, 8, 1, 2)
    assert sizes(tower["stem"], "C", "K", "N") == (3, 8, 2)
    assert sizes(tower["depthwise"], "G", "C", "K", "Wdilation") == (8, 1, 1, 2)
    assert tower["up"].count == 4
    assert sizes(tower["up"], "R", "S", "P", "Q") == (2, 2, 8, 4)
    assert sizes(tower["head"], "P", "C", "K", "N") == (2, 4, 10, 1)


def test_lines_and_cubes() -> None:
    lines = by_name(from_module(modules.Lines(), torch.zeros(6, 16)))
    assert sizes(lines["line"], "R", "S", "P", "Q", "C", "K", "G") == (5, 1, 6, 1, 3, 2, 2)
    assert lines["cube"].shape.name == "conv3d"
    assert sizes(lines["cube"], "T", "S", "R", "D", "Q", "P") == (3, 2, 1, 4, 2, 4)
    assert lines["grouped"].shape.name == "grouped_conv3d"
    assert sizes(lines["grouped"], "G", "C", "K") == (8, 1, 1)


def test_attention_by_hand_and_fused_is_the_same_two_products() -> None:
    found = by_name(from_module(modules.Products(), torch.zeros(2, 5, 16)))
    scores, values = found["scaled_dot_product_attention.scores"], found["matmul_1"]
    assert sizes(scores, "G", "P", "C", "K") == (8, 5, 8, 5)
    assert sizes(values, "G", "P", "C", "K") == (8, 5, 5, 8)
    assert (scores.count, values.count) == (2, 2)
    # The parameter is the weights, though it comes first; K is then its rows.
    assert sizes(found["einsum"], "P", "C", "K") == (10, 16, 7)


@pytest.mark.parametrize("fused", [True, False])
def test_grouped_queries_share_their_keys(fused: bool) -> None:
    found = from_module(modules.Grouped(fused), torch.zeros(2, 5, 16))
    scores, values = (layer for layer in found if layer.shape.name == "batched_matmul")
    assert sizes(scores, "G", "P", "C", "K") == (4, 15, 8, 5)
    assert sizes(values, "G", "P", "C", "K") == (4, 15, 5, 8)


def test_either_operand_of_two_activations_may_stand_still() -> None:
    given: dict[str, Any] = {"model": "tests.networks.modules.Products", "input": [2, 5, 16]}
    found = by_name(load_exported(**given, stationary="first"))
    assert sizes(found["matmul_1"], "G", "P", "C", "K") == (8, 8, 5, 5)
    # Where there is a parameter, it is the weights.
    assert sizes(found["query"], "P", "K") == (10, 32)
    assert sizes(found["einsum"], "P", "C", "K") == (10, 16, 7)


def test_recurrent_layers_step_by_step() -> None:
    found = by_name(from_module(modules.Recurrent(), torch.zeros(3, 5, 8)))
    assert sizes(found["cells.0.input"], "P", "C", "K") == (15, 8, 64)
    assert sizes(found["cells.2.input"], "P", "C", "K") == (15, 32, 64)
    hidden = found["cells.3.hidden"]
    assert sizes(hidden, "P", "C", "K") == (3, 16, 64)
    assert hidden.count == 4 * 5


def test_what_is_not_mapped_is_counted_and_named() -> None:
    tokens = {"shape": [2, 5], "type": "int64"}
    found = load_exported("tests.networks.modules.Words", {"tokens": tokens, "scale": [1]})
    assert [layer.name for layer in found] == ["head"]
    assert found.coverage is not None
    told = {each.operator: each for each in found.coverage.left_out}
    assert told["aten.embedding"].elements == 2 * 5 * 16
    assert told["aten.embedding"].reason == "looks elements up"
    assert told["aten.mul"].reason == "element by element: sums nothing"
    assert all(each.macs == 0 for each in told.values())


def test_operators_of_which_nothing_is_known_are_said_to_be() -> None:
    found = load_exported("tests.networks.modules.Unknown", [3, 4])
    assert found.coverage is not None
    assert found.coverage.unknown == ("aten.cdist", "aten.einsum")
    reasons = [each.reason for each in found.coverage.left_out]
    assert "einsum ij,ij,kj->ik: it has 3 operands, not two" in reasons


def test_a_program_with_symbols(tmp_path: Path) -> None:
    path = tmp_path / "words.pt2"
    batch = torch.export.Dim("batch", max=64)
    example = torch.zeros(2, 5, 16)
    program = torch.export.export(
        modules.Products(), (example,), dynamic_shapes={"x": {0: batch}}, strict=False
    )
    torch.export.save(program, path)
    (symbol,) = map(str, program.range_constraints)
    found = load_exported(str(path), symbols={symbol: 3})
    assert found.name == "words"
    assert macs(found) == counter_macs(modules.Products(), torch.zeros(3, 5, 16))


def test_the_graph_is_told_apart_where_the_layers_are_not() -> None:
    class Negative(modules.Tower):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return -super().forward(x)

    graphs = []
    for module in (modules.Tower(), modules.Tower(), Negative()):
        workload = from_module(module, torch.zeros(2, 3, 16, 16))
        assert workload.coverage is not None
        graphs.append(workload.coverage.graph)
    assert graphs[0] == graphs[1] != graphs[2]

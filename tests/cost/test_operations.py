"""Costs in machine code agree with those of tensor operations to the last bit.

The kernel runs uncompiled, as the Python that it is; one test compiles it.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import nan
from types import ModuleType

import numpy as np
import pytest
import torch

from tests.helpers import default_sizes, generator, integer_mappings, random_strides
from tests.helpers_compiled import uncompiled, unused
from tilegrad.accelerator import Accelerator, load_accelerator, packaged_accelerators
from tilegrad.cost import LayerCost, layer_cost
from tilegrad.cost.operations import Operations, operations
from tilegrad.nest import Nest, analyse, fused

KERNEL = "tilegrad.cost.kernel"

ROWS = 6


@pytest.fixture(scope="module")
def kernel() -> ModuleType:
    return uncompiled(KERNEL)


@pytest.fixture
def use(kernel: ModuleType, monkeypatch: pytest.MonkeyPatch) -> fused._Use:
    return unused(KERNEL, kernel, monkeypatch)


def nest_of(accelerator: Accelerator) -> Nest:
    random = generator(0)
    mappings = integer_mappings(accelerator, ROWS, random)
    return analyse(mappings, random_strides(ROWS, random), accelerator)


def no_counts(*_: object) -> bool:
    """Stand for the analysis in machine code."""
    raise AssertionError("nothing is to be counted")


def assert_equal(found: LayerCost, expected: LayerCost) -> None:
    assert torch.equal(found.cycles_by_part, expected.cycles_by_part)
    assert torch.equal(found.energy_by_part_pj, expected.energy_by_part_pj)


@pytest.mark.parametrize("name", packaged_accelerators())
def test_packaged_accelerators(name: str, use: fused._Use, kernel: ModuleType) -> None:
    accelerator = load_accelerator(name)
    nest, sizes = nest_of(accelerator), default_sizes(accelerator)
    for hardware in (sizes, {n: torch.tensor(v).double() for n, v in sizes.items()}):
        use.kernel = None
        expected = layer_cost(nest, accelerator, hardware)
        use.kernel = no_counts
        assert operations(nest, hardware) == Operations(kernel, (ROWS,))
        with np.errstate(divide="ignore"):
            assert_equal(layer_cost(nest, accelerator, hardware), expected)


def test_ports_of_any_width_for_any_demand(kernel: ModuleType) -> None:
    """What is no number is none in both."""
    each = list(product((1.0, 7.0, 40.0, nan), (7.0, 9.0), (0.0, 0.3, 3.0, 11.7, nan)))
    before, steps, demand = torch.tensor(each, dtype=torch.float64).unbind(1)
    code = Operations(kernel, before.shape)
    for width in (3.0, 0.7, 0.0, nan, torch.tensor(0.7).double(), torch.tensor(0.0).double()):
        with np.errstate(divide="ignore", invalid="ignore"):
            found = code.stretched(before, steps, demand, width)
        expected = Operations().stretched(before, steps, demand, width)
        assert torch.equal(found.nan_to_num(-1), expected.nan_to_num(-1))


def test_hardware_of_each_mapping_is_left_to_tensor_operations(use: fused._Use) -> None:
    nest = nest_of(load_accelerator("gemmini"))
    use.kernel = no_counts
    rows, relaxed = torch.ones(ROWS).double(), torch.ones(()).double().requires_grad_(True)
    for size in (rows, relaxed):
        assert operations(nest, {"pe_dim": 16.0, "scratchpad_kb": size}) == Operations()


def test_a_single_mapping_is_left_to_tensor_operations(use: fused._Use) -> None:
    accelerator = load_accelerator("gemmini")
    mapping = integer_mappings(accelerator, ROWS, generator(0))
    strides, sizes = random_strides(1, generator(1))[0], default_sizes(accelerator)
    nests = [analyse(each, strides, accelerator) for each in (mapping, mapping[0])]
    expected = layer_cost(nests[0], accelerator, sizes)
    use.kernel = no_counts
    found = layer_cost(nests[1], accelerator, sizes)
    assert torch.equal(found.cycles_by_part, expected.cycles_by_part[0])
    assert torch.equal(found.energy_by_part_pj, expected.energy_by_part_pj[0])


def test_figures_that_machine_code_does_not_give_are_left_to_tensor_operations(
    use: fused._Use, kernel: ModuleType
) -> None:
    accelerator = load_accelerator("gemmini")
    nest = nest_of(accelerator)
    assert operations(nest, {}) == Operations()
    use.kernel = no_counts
    assert operations(nest, {}) == Operations(kernel, (ROWS,))
    broad = replace(nest, steps=nest.steps.unsqueeze(1))
    assert operations(broad, {}) == Operations()
    relaxed = replace(nest, steps=nest.steps.clone().requires_grad_(True))
    assert operations(relaxed, {}) == Operations()


@pytest.mark.slow
def test_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused, "_use", fused._Use())
    accelerator = load_accelerator("eyeriss")
    nest, sizes = nest_of(accelerator), default_sizes(accelerator)
    expected = layer_cost(nest, accelerator, sizes)
    fused._use.kernel = no_counts
    assert operations(nest, sizes).kernel is not None
    assert_equal(layer_cost(nest, accelerator, sizes), expected)

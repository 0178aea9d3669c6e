"""The analysis in machine code agrees with that of tensor operations to the last bit.

The kernel runs uncompiled, as the Python that it is; one test compiles it.
"""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.helpers import counts, generator, integer_mappings, random_strides, relaxed_mappings
from tests.helpers_compiled import uncompiled, unused
from tests.helpers_shapes import Case, cases, drawn_shapes, packaged
from tilegrad.accelerator import Accelerator, load_accelerator, packaged_accelerators
from tilegrad.mapping import LoopNest
from tilegrad.mapping.sampling import Sampler
from tilegrad.nest import analyse, fused
from tilegrad.shape.read import packaged_shape
from tilegrad.workload import Problem

KERNEL = "tilegrad.nest.kernel"

ROWS = 300
"""More than a block, and no multiple of it."""


@pytest.fixture(scope="module")
def kernel() -> ModuleType:
    return uncompiled(KERNEL)


@pytest.fixture
def use(kernel: ModuleType, monkeypatch: pytest.MonkeyPatch) -> fused._Use:
    return unused(KERNEL, kernel, monkeypatch)


def differences(mapping: LoopNest, strides: Tensor, accelerator: Accelerator) -> list[str]:
    """Return which counts differ from those that tensor operations find; none may be missing."""
    assert fused._use.kernel is None
    expected = counts(analyse(mapping, strides, accelerator))
    fused.prepare()
    found = counts(analyse(mapping, strides, accelerator))
    assert fused._use.kernel is not None
    fused._use.kernel, fused._use.seen = None, 0
    assert list(found) == list(expected)
    pairs = {name: torch.broadcast_tensors(found[name], expected[name]) for name in found}
    return [name for name, (one, other) in pairs.items() if not torch.equal(one, other)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases(st.one_of(drawn_shapes(), packaged)))
def test_nests_of_any_shape_on_any_levels(case: Case, use: fused._Use) -> None:
    strides = torch.tensor(case.strides, dtype=torch.float64)
    use.kernel, use.seen = None, 0
    assert differences(case.mapping, strides, case.accelerator) == []


@pytest.mark.usefixtures("use")
@pytest.mark.parametrize("name", packaged_accelerators())
def test_packaged_accelerators(name: str) -> None:
    """Random factors of any size in any order, of strided and of dilated layers."""
    accelerator, random = load_accelerator(name), generator(0)
    mappings = integer_mappings(accelerator, 20, random)
    assert differences(mappings, random_strides(20, random), accelerator) == []


@pytest.mark.usefixtures("use")
def test_blocks_of_a_map_space() -> None:
    """Mappings as searches lay them out, groups too, with more mappings than a block has."""
    accelerator = load_accelerator("gemmini").running(packaged_shape("conv"))
    layer = Problem.from_fields(
        "grouped", {"R": 3, "S": 3, "P": 28, "Q": 28, "C": 8, "K": 6, "N": 2, "G": 4, "Wstride": 2}
    )
    drawn = Sampler(accelerator, layer, {"pe_dim": 16.0}).draw(ROWS, generator(0))
    strides = torch.tensor(layer.strides, dtype=torch.float64)
    assert differences(drawn, strides, accelerator) == []
    # Leading dimensions broadcast.
    orders = LoopNest(drawn.temporal[:3, None], drawn.spatial[:3, None], drawn.order[None, :4])
    assert differences(orders, strides, accelerator) == []


@pytest.mark.usefixtures("use")
def test_relaxed_factors_without_gradients() -> None:
    accelerator, random = load_accelerator("gemmini"), generator(1)
    mappings = relaxed_mappings(accelerator, 30, random, absent=0.3)
    assert differences(mappings, random_strides(30, random), accelerator) == []


@pytest.mark.usefixtures("use")
def test_loops_below_one_are_left_to_tensor_operations() -> None:
    accelerator, random = load_accelerator("gemmini"), generator(2)
    mappings = integer_mappings(accelerator, 4, random)
    mappings.temporal[2, -1, 0] = 0.999
    fused.prepare()
    assert fused.columns(mappings, random_strides(4, random), accelerator) is None
    assert fused.columns(mappings[:2], random_strides(2, random), accelerator) is not None


@pytest.mark.usefixtures("use")
def test_no_mappings_are_left_to_tensor_operations() -> None:
    accelerator, random = load_accelerator("gemmini"), generator(2)
    mappings, strides = integer_mappings(accelerator, 2, random)[:0], random_strides(2, random)[:0]
    fused.prepare()
    assert fused.columns(mappings, strides, accelerator) is None


@pytest.mark.usefixtures("use")
def test_gradients_are_left_to_tensor_operations() -> None:
    accelerator, random = load_accelerator("gemmini"), generator(3)
    mappings, strides = integer_mappings(accelerator, 4, random), random_strides(4, random)
    mappings.temporal.requires_grad_(True)
    fused.prepare()
    assert fused.columns(mappings, strides, accelerator) is None
    with torch.no_grad():
        assert fused.columns(mappings, strides, accelerator) is not None


def test_runs_of_few_mappings_do_not_wait_for_machine_code(
    use: fused._Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    accelerator, random = load_accelerator("gemmini"), generator(4)
    mappings, strides = integer_mappings(accelerator, 4, random), random_strides(4, random)
    for kept, pays in ((True, fused.KEPT_PAYS), (False, fused.COMPILING_PAYS)):
        monkeypatch.setattr(fused, "_is_compiled", lambda kept=kept: kept)
        use.kernel, use.seen = None, pays - 5
        assert fused.columns(mappings, strides, accelerator) is None
        with use.loading:  # Another thread is at it.
            assert fused.columns(mappings, strides, accelerator) is None
        assert fused.columns(mappings, strides, accelerator) is not None
        assert use.kernel is not None


@pytest.mark.slow
def test_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused, "_use", fused._Use())
    for name in ("gemmini", "eyeriss"):
        accelerator, random = load_accelerator(name), generator(5)
        mappings = integer_mappings(accelerator, ROWS, random)
        assert differences(mappings, random_strides(ROWS, random), accelerator) == []
    assert fused._is_compiled.__wrapped__()

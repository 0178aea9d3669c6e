"""The descent in machine code: to the last bit what tensor operations say, and only where it pays.

Instructions run as ``tests.helpers_tape`` reads them; one slow test compiles the kernel.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.helpers_tape import interpreted
from tests.search.helpers import BRIEF_GRADIENT, SMALL, TINY, Limits, outcome, run, small_problem
from tests.search.test_shapes import LAYERS
from tilegrad.accelerator import load_accelerator
from tilegrad.cost.latency import NEST_LATENCY
from tilegrad.search import generator
from tilegrad.search.gradient import machine
from tilegrad.search.gradient.relaxed import RelaxedProblem
from tilegrad.search.gradient.relaxed_stack import RelaxedStack
from tilegrad.tape import kernel, rules
from tilegrad.workload import Workload

STARTS = 3


@pytest.fixture
def _interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "run", interpreted)


def relaxed(accelerator: str = "gemmini", workload: Workload = SMALL) -> RelaxedProblem:
    there = load_accelerator(accelerator)
    caps = dict.fromkeys(there.plan().meshes, 16)
    problem = small_problem(workload=workload, accelerator=there, limits=Limits(caps=caps))
    return RelaxedProblem.of(problem.tables, workload, problem.hardware, problem.goal)


def descended(problem: RelaxedProblem, prepared: bool) -> tuple[Tensor, Tensor]:
    """Return the loss of random starts and its gradient; stacks begin anew."""
    if prepared:
        for stack in problem.stacks:
            stack.machine.prepare()
    logs = problem.random(STARTS, generator(3)).requires_grad_(True)
    loss, _, _ = problem.loss(logs, 20.0)
    assert all((stack.machine.runner is not None) == prepared for stack in problem.stacks)
    return loss, torch.autograd.grad(loss.sum(), logs)[0]


@pytest.mark.usefixtures("_interpreted")
@pytest.mark.parametrize(
    ("accelerator", "workload"),
    [("gemmini", SMALL), ("nvdla_small", TINY), ("gemmini", Workload("s", LAYERS))],
    ids=["gemmini", "nvdla", "shapes"],
)
def test_loss_and_gradient(accelerator: str, workload: Workload) -> None:
    """Of both conventions of counting, of fixed sizes (whose penalty takes logarithms), of padded
    stacks of several shapes, groups among them.
    """
    expected = descended(relaxed(accelerator, workload), prepared=False)
    assert all(map(torch.equal, descended(relaxed(accelerator, workload), prepared=True), expected))


@pytest.mark.usefixtures("_interpreted")
def test_gradients_are_slopes() -> None:
    """Central differences of the parts: where factors move nothing, and where they do."""
    (stack,) = relaxed(workload=TINY).stacks
    runner = machine.runner_of(stack)
    logs = 0.2 + torch.rand(1, 2, len(stack.space.slots), generator=generator(0)).double() / 3
    factors = logs.exp()
    weights = [torch.rand_like(part) for part in runner.parts(factors)]
    follows = runner.recording.follows

    def weighed(at: Tensor) -> Tensor:
        each = zip(runner.parts(at), weights, follows, strict=True)
        return torch.stack([(p * w).flatten(2).sum(-1) for p, w, known in each if known]).sum(0)

    found = runner.gradient(factors, weights)
    for slot in range(factors.shape[-1]):
        step = torch.zeros_like(factors)
        step[..., slot] = 1e-6
        slope = (weighed(factors + step) - weighed(factors - step)) / 2e-6
        assert torch.allclose(found[..., slot], slope, rtol=1e-5, atol=1e-3)


@pytest.mark.slow
def test_machine_code() -> None:
    expected = descended(relaxed(), prepared=False)
    assert all(map(torch.equal, descended(relaxed(), prepared=True), expected))


@pytest.mark.usefixtures("_interpreted")
def test_a_search_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, brief = small_problem(workload=TINY), replace(BRIEF_GRADIENT, starts=2, steps=2)
    expected = outcome(run(problem, brief, tmp_path / "tensors")[0], problem)
    taken: list[bool] = []
    footprint = machine.Machine.footprint

    def watched(*args: object) -> object:
        found = footprint(*args)  # type: ignore[arg-type]
        taken.append(found is not None)
        return found

    monkeypatch.setattr(machine, "COMPILING_PAYS", 0)
    monkeypatch.setattr(machine, "KEPT_PAYS", 0)
    monkeypatch.setattr(machine.Machine, "footprint", watched)
    found = outcome(run(problem, brief, tmp_path / "machine")[0], problem)
    assert any(taken)
    assert found == expected


def stack_of(problem: RelaxedProblem) -> tuple[RelaxedStack, Tensor]:
    (stack,) = problem.stacks
    return stack, problem.random(STARTS, generator(0)).exp().requires_grad_(True)


@pytest.mark.usefixtures("_interpreted")
@pytest.mark.parametrize(
    ("compiled", "most"), [(True, 100), pytest.param(False, 300, marks=pytest.mark.slow)]
)
def test_few_mappings_are_left_to_tensor_operations(
    compiled: bool, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_is_compiled", lambda: compiled)
    monkeypatch.setattr(machine, "KEPT_PAYS", 100)
    monkeypatch.setattr(machine, "COMPILING_PAYS", 300)
    stack, factors = stack_of(relaxed(workload=TINY))
    rows = factors[..., 0].numel() * stack.orders.shape[1]
    before = 0
    while stack.machine.footprint(stack, factors, NEST_LATENCY) is None:
        before += rows
    assert before < most <= before + rows


def test_what_is_left_to_tensor_operations() -> None:
    """Figures without gradients, of another latency model, or while another thread prepares."""
    stack, factors = stack_of(relaxed(workload=TINY))
    stack.machine.prepare()
    assert stack.machine.footprint(stack, factors.detach(), NEST_LATENCY) is None
    other = replace(NEST_LATENCY, name="another")
    assert stack.machine.footprint(stack, factors, other) is None
    with torch.no_grad():
        assert stack.machine.footprint(stack, factors, NEST_LATENCY) is None
    with stack.machine.preparing:
        assert stack.machine.footprint(stack, factors, NEST_LATENCY) is None
    assert stack.machine.runner is None


def test_what_cannot_be_recorded_is_refused_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation of a future tensor library, say."""
    monkeypatch.delitem(rules.RULES, "gather")
    stack, factors = stack_of(relaxed(workload=TINY))
    stack.machine.prepare()
    assert stack.machine.footprint(stack, factors, NEST_LATENCY) is None
    assert stack.machine.refused


def test_other_figures_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Machine code that differs by a bit is never taken."""

    def off(code: object, given: object, written: object) -> None:
        interpreted(code, given, written)  # type: ignore[arg-type]
        written.gradient[0, 0] *= 1 + 2**-50  # type: ignore[attr-defined]

    stack, factors = stack_of(relaxed(workload=TINY))
    stack.machine.prepare()
    monkeypatch.setattr(kernel, "run", off)
    assert stack.machine.footprint(stack, factors, NEST_LATENCY) is None
    assert stack.machine.refused


def test_another_device_has_none_of_it() -> None:
    """A problem that moves begins anew: machine code holds the figures of its layers."""
    problem = relaxed(workload=TINY)
    problem.stacks[0].machine.prepare()
    assert problem.to(torch.device("cpu")).stacks[0].machine.seen == 0

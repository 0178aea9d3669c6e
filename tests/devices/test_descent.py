"""A search's descent on another device than the processor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.devices.strict import ELSEWHERE, elsewhere
from tests.helpers import generator
from tests.helpers_slow import slow_but
from tests.search.helpers import SMALL, Limits, small_problem
from tilegrad.accelerator import Accelerator, load_accelerator
from tilegrad.accelerator.sized import SizedTable
from tilegrad.composing import composed
from tilegrad.errors import ConfigError
from tilegrad.nest import layout, loops, sliding
from tilegrad.search import Budget, SearchProblem
from tilegrad.search.build import build_runner
from tilegrad.search.device import search_device
from tilegrad.search.gradient.descent import Descent
from tilegrad.search.gradient.optimiser import Momentum, Point, Stop
from tilegrad.search.gradient.relaxed import RelaxedProblem
from tilegrad.shape import packaged_shape
from tilegrad.workload import Problem, Workload


class Here(ThreadPoolExecutor):
    """Runs what it is given at once: fake tensors are known to their own thread alone."""

    def map(self, function: Callable[..., Any], *given: Any, **_: Any) -> Iterator[Any]:
        return map(function, *given)


def descent_of(problem: SearchProblem) -> Descent:
    relaxed = RelaxedProblem.of(
        problem.tables, problem.workload, problem.hardware, problem.goal, problem.model
    )
    return Descent(relaxed, Momentum(steps=4, learning_rate=10.0, momentum=0.8))


def sized_gemmini() -> Accelerator:
    """Return Gemmini with energies and areas by size."""
    accelerator = load_accelerator("gemmini")
    levels = tuple(replace(level, area_mm2=None) for level in accelerator.levels)
    return replace(accelerator, levels=levels, energy=SizedTable())


PRODUCT = Problem.from_fields("product", {"P": 8, "C": 12, "K": 6}, shape=packaged_shape("matmul"))
PROBLEMS = {
    "gemmini": lambda: small_problem(),
    "fixed": lambda: small_problem("area-delay", Limits({"pe_dim": 8}, {"scratchpad_kb": 64})),
    "simba": lambda: small_problem(limits=Limits({}, {}), accelerator=load_accelerator("simba")),
    "sized": lambda: small_problem("area-delay", accelerator=sized_gemmini()),
    "shapes": lambda: small_problem(workload=Workload("two", (SMALL.layers[0], PRODUCT))),
}


@pytest.mark.parametrize("name", slow_but(PROBLEMS, "gemmini"))
def test_a_step_stays_on_its_device_and_never_waits_for_it(name: str) -> None:
    descent = descent_of(PROBLEMS[name]())
    point = descent.begin(6, generator(0))
    with elsewhere() as move, Here(1) as threads:
        there = replace(descent, problem=descent.problem.each(move))
        begun = Point(move(point.values), move(point.velocity))
        after = there.advance(begun, Stop(1, Budget().begin()), threads).point
        assert after.values.device.type == after.velocity.device.type == ELSEWHERE
        assert after.values.shape == point.values.shape
        assert after.step == 1


@pytest.mark.parametrize("name", ["gemmini", "simba", "shapes"])
def test_what_is_not_looked_at_has_the_same_loss(name: str) -> None:
    """As on a device whose values are not waited for; gradients are summed in another order."""
    descent = descent_of(PROBLEMS[name]())
    logs = descent.begin(6, generator(0)).values.requires_grad_()

    def found() -> tuple[Tensor, Tensor]:
        loss, _, _ = descent.problem.loss(logs, 50.0)
        return loss.detach(), torch.autograd.grad(loss.sum(), logs)[0]

    looked, gradient = found()
    with pytest.MonkeyPatch.context() as patch:
        for module in (layout, loops, sliding):
            patch.setattr(module, "readable", lambda _: False)
        blind, other = found()
    assert torch.equal(blind, looked)
    assert torch.allclose(other, gradient, rtol=1e-10, atol=1e-13)


def test_the_processor_is_named_or_found() -> None:
    assert search_device("cpu", None) == torch.device("cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        assert search_device("auto", None).type == "cpu"
        with pytest.raises(ConfigError, match=r"device is 'cuda'.*no CUDA device.*legal: cpu"):
            search_device("cuda", None)
        patch.setattr(torch.cuda, "is_available", lambda: True)
        assert search_device("auto", None).type == search_device("cuda", None).type == "cuda"
        assert search_device("auto", "gemmini_rtl").type == "cpu"
        with pytest.raises(ConfigError, match=r"ckpt is 'gemmini_rtl'.*legal beside a checkpoint"):
            search_device("cuda", "gemmini_rtl")
    with pytest.raises(ConfigError, match="unknown device 'gpu'"):
        search_device("gpu", None)


def test_the_device_is_part_of_a_search_only_where_it_is_no_processor(tmp_path: Path) -> None:
    """Runs of a version without devices go on; one of a GPU does not go on on the processor."""
    (tmp_path / "layers.csv").write_text("layer,N,K,C,P,Q,R,S\nlinear,1,8,8,4,1,1,1\n")
    given = {"workload": str(tmp_path / "layers.csv"), "dir": str(tmp_path / "run")}
    parts = {}
    for device in ("cpu", "auto", "cuda"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch.cuda, "is_available", lambda found=device == "cuda": found)
            config = composed("search", {**given, "device": device}, ())
            parts[device] = build_runner(config).fingerprint
    assert parts["cpu"].digest == parts["auto"].digest
    assert parts["cpu"].difference(parts["cuda"]) == ("device", "cuda", None)

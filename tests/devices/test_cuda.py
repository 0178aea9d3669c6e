"""Analysis, a descent and a whole search on a GPU, against the same on the processor."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.devices.test_descent import PROBLEMS, descent_of
from tests.devices.test_nest import ACCELERATORS, drawn
from tests.helpers import counts, generator
from tests.helpers_scripts import Script
from tilegrad.nest import analyse
from tilegrad.search import Budget
from tilegrad.search.gradient.optimiser import Stop

if not torch.cuda.is_available():
    pytest.skip("needs a GPU with CUDA", allow_module_level=True)

LAYERS = "layer,N,K,C,P,Q,R,S\nconv,1,16,8,14,14,3,3\nlinear,4,64,32,1,1,1,1\n"


def one_step() -> Stop:
    return Stop(1, Budget().begin(0))


@contextmanager
def never_waiting() -> Iterator[None]:
    """Raise where the processor waits for the GPU."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Synchronization debug mode is a prototype")
            torch.cuda.set_sync_debug_mode("error")
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("name", list(ACCELERATORS))
def test_accesses_are_those_of_the_processor(name: str) -> None:
    nests, strides = drawn(ACCELERATORS[name])
    here = counts(analyse(nests, strides, ACCELERATORS[name]))
    moved = nests.each(lambda tensor: tensor.cuda())
    there = counts(analyse(moved, strides.cuda(), ACCELERATORS[name]))
    for count, words in here.items():
        one, other = torch.broadcast_tensors(words, there[count].cpu())
        assert torch.equal(one, other), count


@pytest.mark.parametrize("name", list(PROBLEMS))
def test_steps_are_those_of_the_processor(name: str) -> None:
    """Off the bounds, where the last bit of a product decides whether a loop is left outside."""
    descent = descent_of(PROBLEMS[name]())
    begun = descent.begin(6, generator(0))
    point = replace(begun, values=begun.values * 0.9)
    there = replace(descent, problem=descent.problem.to(torch.device("cuda")))
    with ThreadPoolExecutor(1) as threads:
        own = descent.advance(point, one_step(), threads).point.values
        far = there.advance(point.to(torch.device("cuda")), one_step(), threads).point.values
    assert far.is_cuda
    assert torch.allclose(far.cpu(), own, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", list(PROBLEMS))
def test_a_step_never_waits_for_the_gpu(name: str) -> None:
    descent = descent_of(PROBLEMS[name]())
    there = replace(descent, problem=descent.problem.to(torch.device("cuda")))
    begun = there.begin(6, generator(0)).to(torch.device("cuda"))
    with ThreadPoolExecutor(1) as threads:
        warm = there.advance(begun, one_step(), threads).point
        with never_waiting():
            there.advance(warm, one_step(), threads)


def test_a_search_ends_as_on_the_processor(script: Script) -> None:
    found = {}
    Path("layers.csv").write_text(LAYERS, encoding="utf-8")
    for device in ("cpu", "cuda"):
        arguments = ("workload=layers.csv", f"device={device}", f"dir={device}", "progress=false")
        assert script("search", *arguments).code == 0
        found[device] = json.loads(Path(device, "result.json").read_text("utf-8"))["edp"]
    assert found["cuda"] == pytest.approx(found["cpu"], rel=1e-3)

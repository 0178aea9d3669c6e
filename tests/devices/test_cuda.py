"""Analysis, a descent and a whole search on a GPU, against the same on the processor."""

from __future__ import annotations

import json
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

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU with CUDA")

LAYERS = "layer,N,K,C,P,Q,R,S\nconv,1,16,8,14,14,3,3\nlinear,4,64,32,1,1,1,1\n"


@contextmanager
def never_waiting() -> Iterator[None]:
    """Raise where the processor waits for the GPU."""
    torch.cuda.set_sync_debug_mode("error")
    try:
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
    descent = descent_of(PROBLEMS[name]())
    point = descent.begin(6, generator(0))
    there = replace(descent, problem=descent.problem.to(torch.device("cuda")))
    with ThreadPoolExecutor(1) as threads:
        own = descent.advance(point, threads, Budget().begin(0))
        far = there.advance(point.to(torch.device("cuda")), threads, Budget().begin(0))
    assert far.logs.is_cuda
    assert torch.allclose(far.logs.cpu(), own.logs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", list(PROBLEMS))
def test_a_step_never_waits_for_the_gpu(name: str) -> None:
    descent = descent_of(PROBLEMS[name]())
    there = replace(descent, problem=descent.problem.to(torch.device("cuda")))
    begun = there.begin(6, generator(0)).to(torch.device("cuda"))
    with ThreadPoolExecutor(1) as threads:
        warm = there.advance(begun, threads, Budget().begin(0))
        with never_waiting():
            there.advance(warm, threads, Budget().begin(0))


def test_a_search_ends_as_on_the_processor(script: Script) -> None:
    found = {}
    Path("layers.csv").write_text(LAYERS, encoding="utf-8")
    for device in ("cpu", "cuda"):
        arguments = ("workload=layers.csv", f"device={device}", f"dir={device}", "progress=false")
        assert script("search", *arguments).code == 0
        found[device] = json.loads(Path(device, "result.json").read_text("utf-8"))["edp"]
    assert found["cuda"] == pytest.approx(found["cpu"], rel=1e-3)

"""A search without a legal design says which layer did not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers_scripts import Command


@pytest.mark.parametrize("group", ["hardware", "caps"])
def test_the_layer_is_named_with_what_it_needs(command: Command, group: str) -> None:
    Path("two.csv").write_text("layer,R,S,P,Q,C,K\nsmall,1,1,4,1,4,4\nlarge,3,3,28,28,64,64\n")
    sizes = (f"{group}.{name}=1" for name in ("scratchpad_kb", "accumulator_kb"))
    strategy = ("strategy=random", "strategy.designs=1", f"{group}.pe_dim=64")
    ended = command("workload=two.csv", *strategy, *sizes, "report=false", "progress=false")
    assert ended.code == 2
    for part in ("no feasible design among 1 samples", "layer 'large'", "more than its 1 KB"):
        assert part in ended.err

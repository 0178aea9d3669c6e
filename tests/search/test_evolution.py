"""The genetic search: genes are legal mappings, a generation keeps the best; the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.search.contract import FIXED, StrategyContract
from tests.search.helpers import TINY, Limits, run, small_problem
from tilegrad.errors import ConfigError
from tilegrad.mapping import LoopNest
from tilegrad.mapping.validity import find_violations
from tilegrad.search import EvolutionStrategy, LatinStrategy
from tilegrad.search.caps import Caps
from tilegrad.search.evolution.breeding import Breeding, Generation
from tilegrad.search.evolution.genome import NEAR, Genes, Genome

pytest.importorskip("pymoo")


def genome() -> Genome:
    """Return the genes of the tiny network's designs."""
    return Genome(small_problem(workload=TINY).tables)


def test_any_genes_are_legal_mappings() -> None:
    genes = genome()
    random = np.random.default_rng(0)
    drawn = (random.random((40, len(genes.counts))) * genes.counts).astype(np.int64)
    nests = genes.nests(drawn)
    for layer, problem in enumerate(TINY.layers):
        bounds = torch.tensor(problem.bounds, dtype=torch.float64)
        accelerator = genes.tables[layer].space.accelerator
        assert not find_violations(nests[:, layer], bounds, accelerator)


def test_genes_tell_all_mappings_of_a_layer_apart() -> None:
    genes = genome()
    own = genes.counts[genes.layers == 0]
    every = np.stack(np.meshgrid(*map(np.arange, own), indexing="ij"), -1).reshape(-1, len(own))
    designs = np.zeros((len(every), len(genes.counts)), dtype=np.int64)
    designs[:, genes.layers == 0] = every
    nests = genes.nests(designs)[:, 0]
    flat = torch.cat([part.flatten(1).double() for part in vars(nests).values()], 1)
    assert len(flat.unique(dim=0)) == prod(own.tolist())


def test_no_gene_set_is_all_loops_in_dram() -> None:
    problem = small_problem(workload=TINY)
    nests = genome().nests(np.zeros((1, len(genome().counts)), dtype=np.int64))
    assert torch.equal(nests.temporal, problem.smallest().temporal)


def test_a_generation_keeps_the_best_and_what_keeps_to_limits_first() -> None:
    genes = genome()

    def judge(designs: Genes) -> Generation:
        values = designs.sum(1).astype(float)
        return Generation(designs, values, (designs[:, 0] > 0).astype(float))

    breeding = Breeding(genes, 12, 0.1, 2.0)
    now = judge(np.unique(genes.random(12, np.random.default_rng(1)), axis=0))
    for number in range(3):
        after = breeding.next(now, judge, number)
        assert len(now.genes) <= len(after.genes) <= 12
        key = sorted(zip(after.excesses, after.values * (after.excesses == 0), strict=True))
        before = sorted(zip(now.excesses, now.values * (now.excesses == 0), strict=True))
        assert key <= before
        assert len(np.unique(after.genes, axis=0)) == len(after.genes)
        now = after


def test_a_step_is_to_one_of_the_nearest_tilings() -> None:
    genes = genome()
    random = np.random.default_rng(2)
    drawn = (random.random((30, len(genes.counts))) * genes.counts).astype(np.int64)
    wanted = random.random(drawn.shape) < 0.7
    stepped = genes.near(drawn, wanted, random.random(drawn.shape))
    assert (stepped[~wanted] == drawn[~wanted]).all()
    gene = 0
    for choices, dims in zip(genes.choices, genes.dims, strict=True):
        for dim in dims:
            logs = np.log(choices[dim].numpy())
            for before, after, moved in zip(
                drawn[:, gene], stepped[:, gene], wanted[:, gene], strict=True
            ):
                far = np.abs(logs - logs[before]).sum(1)
                far[before] = np.inf
                eighth = np.sort(far)[min(NEAR, len(far) - 1) - 1]
                assert not moved or far[after] <= eighth
            gene += 1
        assert (stepped[:, gene] == drawn[:, gene]).all(), "no loop order is near another"
        gene += 1


@pytest.mark.parametrize("limits", [Limits(FIXED), Limits()], ids=["given sizes", "free sizes"])
def test_breeding_beats_drawing_at_equal_samples(limits: Limits, tmp_path: Path) -> None:
    strategies = (
        EvolutionStrategy(population=20, generations=15),
        LatinStrategy(hardware=3, mappings=106),
    )
    bred, drawn = (
        [
            run(small_problem(limits=limits), each, tmp_path / f"{each.name}{seed}", seed)[0]
            for seed in range(3)
        ]
        for each in strategies
    )
    assert min(state.samples for state in drawn) >= max(state.samples for state in bred)
    assert np.median([state.value for state in bred]) < np.median([state.value for state in drawn])


def test_a_cap_on_the_whole_network_is_met_where_designs_meet_it(tmp_path: Path) -> None:
    """What breaks a cap is told apart by how far it does, so that generations come nearer."""
    strategy, problem = EvolutionStrategy(population=20, generations=30), small_problem()

    def cycles(design: LoopNest) -> float:
        cost, _ = problem.evaluate(design)
        return float(problem.goal.totals(cost.layers.cycles))

    free, _ = run(problem, strategy, tmp_path / "free")
    assert free.best is not None
    cap = 1.3 * cycles(free.best)
    first = Genome(problem.tables).random(strategy.population, np.random.default_rng(0))
    assert all(cycles(nest) > cap for nest in Genome(problem.tables).nests(first))
    capped, _ = run(replace(problem, caps=Caps(cycles=cap)), strategy, tmp_path / "capped")
    assert capped.best is not None
    assert cycles(capped.best) <= cap


@pytest.mark.parametrize(
    ("field", "value"), [("population", 1), ("generations", 0), ("swapped", 0.7), ("rate", 0.0)]
)
def test_settings_are_checked(field: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"strategy\.{field}"):
        EvolutionStrategy(**{field: value})  # type: ignore[arg-type]


class TestEvolution(StrategyContract):
    strategy = EvolutionStrategy(population=12, generations=6)
    workload = TINY
    limits: Mapping[str, Limits] = {
        "fixed mesh and area cap": Limits({"pe_dim": 4}, {"area_mm2": 0.06}),
        "little of all": Limits({"pe_dim": 4, "scratchpad_kb": 1, "accumulator_kb": 1}),
    }
    # Few generations end where they end.
    margin = 0.5

"""Accelerators of one's own: a search refuses what it cannot size, and reports what fits."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers_literal import misfits
from tests.search.helpers import Limits, record, run, small_problem
from tests.search.templates import template
from tilegrad.accelerator import Accelerator
from tilegrad.errors import AcceleratorError, ConfigError, InfeasibleError
from tilegrad.mapping import parse_shorthand
from tilegrad.search import GradientStrategy, RandomStrategy, SearchProblem, SearchState
from tilegrad.search.result import design_record
from tilegrad.workload import Problem, Workload

TINY = Workload(
    "tiny",
    (Problem("conv", (3, 1, 4, 4, 8, 8, 1), (2, 1, 1, 1)), Problem("fc", (1, 1, 1, 1, 16, 8, 4))),
)
STRATEGIES = (
    RandomStrategy(designs=50),
    GradientStrategy(starts=4, steps=3, polish_rows=4000, polish_rounds=2, workers=1),
)
SIZES = {"pe_dim": 4, "scratchpad_kb": 8, "accumulator_kb": 1, "other": 2}
DERIVED = (
    "{0} / 8", "2 * {0}", "{0} + {1}", "{0} * other", "{0} / pe_dim", "{0} ** 2", "{0} - 1 / 8",
)  # fmt: skip

sized = st.one_of(
    st.sampled_from(["scratchpad_kb", "accumulator_kb", "other", 1, 2, "0.5"]),
    st.builds(
        lambda form, names: form.format(*names),
        st.sampled_from(DERIVED),
        st.permutations(["scratchpad_kb", "accumulator_kb"]),
    ),
)
widths = st.sampled_from(["pe_dim", "pe_dim", "other", 4, "2 * pe_dim", "pe_dim / 2", "other ** 2"])
some_fixed = st.sets(st.sampled_from(sorted(SIZES)))


def plain() -> Accelerator:
    """Return a template whose sizes can all be inferred."""
    return template("accumulator_kb", "scratchpad_kb", down="other")


def fixing(names: set[str]) -> Limits:
    return Limits({name: SIZES[name] for name in names}, {})


def literal_misfits(found: dict[str, Any], accelerator: Accelerator) -> list[str]:
    """Return what the reported design does not fit, by a walk of its loops."""
    return [
        reason
        for layer, problem in zip(found["layers"], TINY, strict=True)
        for reason in misfits(
            parse_shorthand(layer["mapping"], accelerator),
            problem.strides,
            accelerator,
            found["hardware"],
        )
    ]


@settings(deadline=None, max_examples=12)
@given(sized, sized, widths, widths, some_fixed, st.sampled_from(STRATEGIES))
@pytest.mark.slow
def test_a_design_fits_or_the_template_is_refused(
    tmp_path_factory: pytest.TempPathFactory,
    accumulator: object,
    scratchpad: object,
    across: object,
    down: object,
    fixed: set[str],
    strategy: RandomStrategy | GradientStrategy,
) -> None:
    accelerator = template(accumulator, scratchpad, across, down)
    directory = tmp_path_factory.mktemp("search")
    try:
        problem = small_problem("edp", fixing(fixed), TINY, accelerator)
        state, _ = run(problem, strategy, directory)
    except (ConfigError, InfeasibleError) as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        named = [f"hardware.{name}" for name in SIZES]
        named += ["levels[", "no mapping fits", "no feasible design"]
        assert any(word in refused for word in named), refused
        return
    assert not literal_misfits(record(state, problem), accelerator)


@pytest.mark.parametrize("count", range(len(SIZES) + 1))
def test_what_every_fixed_set_leaves_free_is_searched_or_named(count: int) -> None:
    accelerator = template("scratchpad_kb / 8", "scratchpad_kb", down="other")
    enough = SIZES | {"scratchpad_kb": 16}
    for fixed in map(set, combinations(SIZES, count)):
        limits = Limits({name: enough[name] for name in fixed}, {})
        if "accumulator_kb" in fixed:
            assert small_problem("edp", limits, TINY, accelerator)
            continue
        with pytest.raises(ConfigError) as caught:
            small_problem("edp", limits, TINY, accelerator)
        words = ("hardware.accumulator_kb is null", "no mesh or buffer", "accumulator_kb=NUMBER")
        assert not [word for word in words if word not in str(caught.value)], caught.value


@pytest.mark.parametrize(
    ("accumulator", "scratchpad", "fixed", "words"),
    [
        (
            "scratchpad_kb * accumulator_kb",
            "2",
            {"other"},
            ("hardware.scratchpad_kb is null", "levels[1].capacity_kb is", "accumulator_kb too"),
        ),
        (
            "accumulator_kb",
            "8 / scratchpad_kb",
            {"other"},
            ("hardware.scratchpad_kb is null", "levels[2].capacity_kb", "does not grow with it"),
        ),
        (
            "accumulator_kb",
            "scratchpad_kb + scratchpad_kb ** 2",
            {"other"},
            ("hardware.scratchpad_kb is null", "levels[2]", "holds scratchpad_kb more than once"),
        ),
        ("accumulator_kb", "scratchpad_kb", set(), ("hardware.other is null", "no mesh or buffer")),
    ],
)
def test_sizes_that_mappings_do_not_tell_are_refused_by_name(
    accumulator: str, scratchpad: str, fixed: set[str], words: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError) as caught:
        small_problem("edp", fixing(fixed), TINY, template(accumulator, scratchpad))
    assert not [word for word in words if word not in str(caught.value)], caught.value
    legal = "legal: hardware."
    assert legal in str(caught.value)


def test_sizes_that_grow_and_then_fall_are_refused_when_read() -> None:
    with pytest.raises(AcceleratorError) as caught:
        template("accumulator_kb", "scratchpad_kb * (100 - scratchpad_kb)")
    words = ("gemmini.levels[2].capacity_kb", "grows and falls with it", "legal: an expression")
    assert not [word for word in words if word not in str(caught.value)], caught.value


def test_sizes_that_make_no_sense_are_refused_by_name() -> None:
    accelerator = template("accumulator_kb", "scratchpad_kb", across="pe_dim / 8")
    limits = Limits({"pe_dim": 4, "other": 2})
    with pytest.raises(ConfigError, match=r"levels\[1\].fanout.X.width: 'pe_dim / 8' is 0.5 at pe"):
        small_problem("edp", limits, TINY, accelerator)


def test_a_buffer_that_holds_no_mapping_is_named() -> None:
    accelerator = template("1 / 2", "scratchpad_kb")
    with pytest.raises(
        InfeasibleError, match=r"layer 'conv': Accumulator must hold 1 KB.*its 0.5 KB"
    ):
        small_problem("edp", fixing(set(SIZES)), TINY, accelerator)
    derived = template("scratchpad_kb / 16", "scratchpad_kb")
    with pytest.raises(InfeasibleError, match=r"hardware.scratchpad_kb = 8 .* needs 16"):
        small_problem("edp", fixing(set(SIZES)), TINY, derived)


def test_a_design_that_does_not_fit_is_not_reported() -> None:
    """As one that an older version left in its checkpoint."""
    problem = small_problem("edp", fixing({"accumulator_kb"}), TINY, gemmini_like := plain())
    inside = problem.smallest().each(lambda tensor: tensor[0].clone())
    inside.temporal[:, [1, -1]] = inside.temporal[:, [-1, 1]]
    with pytest.raises(InfeasibleError, match=r"not reported \(layer 'conv': .* must hold"):
        design_record(inside, problem)
    state = SearchState()
    state.offer(inside.alone(), problem)
    assert state.best is None
    assert design_record(inside, small_problem("edp", Limits({}, {}), TINY, gemmini_like))


def test_fixed_parameters_of_neither_meshes_nor_buffers_are_searched_with(tmp_path: Path) -> None:
    """A bandwidth, for one: every strategy prices it, and it is in the record."""
    accelerator = template("accumulator_kb", "scratchpad_kb")
    for strategy in STRATEGIES:
        directory = tmp_path / strategy.name
        problem: SearchProblem = small_problem("edp", fixing({"other"}), TINY, accelerator)
        found = record(run(problem, strategy, directory)[0], problem)
        assert found["hardware"]["other"] == SIZES["other"]

"""Co-search of hardware and mappings."""

from typing import TYPE_CHECKING, Any

from tilegrad.calls import callable_package
from tilegrad.search.bayesian import BayesianStrategy, OneLoopBayesianStrategy
from tilegrad.search.budget import Budget
from tilegrad.search.build import build_runner
from tilegrad.search.cosa.strategy import CosaStrategy
from tilegrad.search.dosa import DosaStrategy
from tilegrad.search.evolution.strategy import EvolutionStrategy
from tilegrad.search.gradient import GradientStrategy
from tilegrad.search.limits import hardware_space
from tilegrad.search.objective import OBJECTIVES, Objective, objective
from tilegrad.search.problem import SearchProblem
from tilegrad.search.random import RandomStrategy
from tilegrad.search.result import design_record, write_history
from tilegrad.search.runner import Runner
from tilegrad.search.state import SearchState, Strategy, generator
from tilegrad.search.surroundings import Surroundings
from tilegrad.search.two_loop.latin import LatinStrategy

if TYPE_CHECKING:
    from tilegrad.search.exact import ExactStrategy

__all__ = [
    "OBJECTIVES",
    "BayesianStrategy",
    "Budget",
    "CosaStrategy",
    "DosaStrategy",
    "EvolutionStrategy",
    "ExactStrategy",
    "GradientStrategy",
    "LatinStrategy",
    "Objective",
    "OneLoopBayesianStrategy",
    "RandomStrategy",
    "Runner",
    "SearchProblem",
    "SearchState",
    "Strategy",
    "Surroundings",
    "build_runner",
    "design_record",
    "generator",
    "hardware_space",
    "objective",
    "write_history",
]


def __getattr__(name: str) -> Any:
    """Import the exact strategy where it is asked for: other searches begin without it."""
    if name != "ExactStrategy":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tilegrad.search.exact import ExactStrategy

    return ExactStrategy


callable_package(__name__)

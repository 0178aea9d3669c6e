"""Co-search of hardware and mappings."""

from tilegrad.calls import callable_package
from tilegrad.search.budget import Budget
from tilegrad.search.build import build_runner
from tilegrad.search.exact import ExactStrategy
from tilegrad.search.gradient import GradientStrategy
from tilegrad.search.limits import hardware_space
from tilegrad.search.objective import OBJECTIVES, Objective, objective
from tilegrad.search.problem import SearchProblem
from tilegrad.search.random import RandomStrategy
from tilegrad.search.result import design_record, write_history
from tilegrad.search.runner import Runner
from tilegrad.search.state import SearchState, Strategy, generator
from tilegrad.search.surroundings import Surroundings

__all__ = [
    "OBJECTIVES",
    "Budget",
    "ExactStrategy",
    "GradientStrategy",
    "Objective",
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

callable_package(__name__)

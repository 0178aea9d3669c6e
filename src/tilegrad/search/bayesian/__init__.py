"""Bayesian optimisation, by BoTorch: over hardware with mappings inside, or over all at once."""

from tilegrad.search.bayesian.one_loop import OneLoopBayesianStrategy
from tilegrad.search.bayesian.strategy import BayesianStrategy

__all__ = ["BayesianStrategy", "OneLoopBayesianStrategy"]

"""Pareto fronts: designs of which none is better in every figure that counts."""

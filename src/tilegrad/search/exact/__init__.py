"""Optima that are proven."""

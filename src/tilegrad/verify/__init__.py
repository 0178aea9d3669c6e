"""Checks a search's result and its certificate, sharing no code with nest, cost or search."""

from tilegrad.verify.verdict import Verdict, verify

__all__ = ["Verdict", "verify"]

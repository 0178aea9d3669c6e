"""Tensor operations and their gradients, recorded once and run in machine code.

``recorder`` follows tensor operations element by element on a small sample, autograd's own backward
operations included; ``graph`` keeps the figures, ``code`` makes instructions of them, ``kernel``
runs these, a few rows at a time, in the processor's caches. The tensor operations remain the only
definition: the same operations in the same order give the same figures to the last bit.
"""

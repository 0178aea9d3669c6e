"""Gemmini: what its library makes of a mapping and what its memories hold.

The predictor, the library's tiler and the exporter share these facts, so that what is priced is
what is emitted.
"""

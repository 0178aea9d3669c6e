"""Hydra's sweepers of tilegrad: Hydra finds its plugins in this namespace alone."""

"""Hydra's launchers of tilegrad: Hydra finds its plugins in this namespace alone."""

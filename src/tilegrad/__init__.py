"""tilegrad: co-design of DNN accelerators and mappings by gradient."""

__version__ = "0.1.0"

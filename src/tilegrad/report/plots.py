"""Pictures of a run as figures, and as PNG."""

from tilegrad.report.bars import layer_costs
from tilegrad.report.curve import edp_against_samples
from tilegrad.report.theme import png_bytes

__all__ = ["edp_against_samples", "layer_costs", "png_bytes"]

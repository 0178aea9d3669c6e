"""What people see of a run: tables, pictures, loop nests and a page."""

from .comparison import Comparison, Entry
from .comparison_files import write_comparison, write_curves
from .coverage import left_out_table
from .engineering import counted, cycles, joules, scientific
from .history import History, read_history
from .loopnest import loop_nest_text
from .networks import network_table
from .plots import edp_against_samples, layer_costs, png_bytes
from .summary import layer_table, summary_table
from .terminal import print_whole
from .training_range import outside_table
from .write import write_report

__all__ = [
    "Comparison",
    "Entry",
    "History",
    "counted",
    "cycles",
    "edp_against_samples",
    "joules",
    "layer_costs",
    "layer_table",
    "left_out_table",
    "loop_nest_text",
    "network_table",
    "outside_table",
    "png_bytes",
    "print_whole",
    "read_history",
    "scientific",
    "summary_table",
    "write_comparison",
    "write_curves",
    "write_report",
]

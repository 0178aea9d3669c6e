"""What people see of a run: tables, pictures, loop nests and a page."""

from .comparison import Comparison
from .comparison_files import write_comparison, write_curves
from .comparison_tables import terminal_table
from .coverage import left_out_table
from .engineering import counted, cycles, joules, scientific
from .history import History, read_history
from .loopnest import loop_nest_text
from .networks import network_table
from .plots import edp_against_samples, layer_costs, png_bytes
from .searched import Entry, Unfit
from .summary import layer_table, summary_table
from .terminal import print_whole
from .training_range import outside_table
from .write import write_report

__all__ = [
    "Comparison",
    "Entry",
    "History",
    "Unfit",
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
    "terminal_table",
    "write_comparison",
    "write_curves",
    "write_report",
]

"""What people see of a run: tables, pictures, loop nests and a page."""

from tilegrad.report.comparison import Comparison, Entry
from tilegrad.report.comparison_files import write_comparison
from tilegrad.report.engineering import counted, cycles, joules, scientific
from tilegrad.report.history import History, read_history
from tilegrad.report.loopnest import loop_nest_text
from tilegrad.report.plots import edp_against_samples, layer_costs, png_bytes
from tilegrad.report.summary import layer_table, summary_table
from tilegrad.report.terminal import print_whole
from tilegrad.report.training_range import outside_table
from tilegrad.report.write import write_report

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
    "loop_nest_text",
    "outside_table",
    "png_bytes",
    "print_whole",
    "read_history",
    "scientific",
    "summary_table",
    "write_comparison",
    "write_report",
]

"""Layers to be mapped: one problem, stacked workloads, and the importers that read them."""

from tilegrad.workload.coverage import Coverage, LeftOut
from tilegrad.workload.library import load_workload, packaged_networks
from tilegrad.workload.problem import Problem
from tilegrad.workload.several import RULES, several_networks
from tilegrad.workload.tables import read_layer_table, read_networks
from tilegrad.workload.timeloop_yaml import (
    read_timeloop_problem,
    read_timeloop_workload,
)
from tilegrad.workload.workload import (
    Network,
    Networks,
    Stack,
    Workload,
    merge_equal_layers,
    order_of,
    stacks_of,
)
from tilegrad.workload.written import write_layer_table

__all__ = [
    "RULES",
    "Coverage",
    "LeftOut",
    "Network",
    "Networks",
    "Problem",
    "Stack",
    "Workload",
    "load_workload",
    "merge_equal_layers",
    "order_of",
    "packaged_networks",
    "read_layer_table",
    "read_networks",
    "read_timeloop_problem",
    "read_timeloop_workload",
    "several_networks",
    "stacks_of",
    "write_layer_table",
]

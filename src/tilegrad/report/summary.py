"""What the terminal shows at the end of a run; the exact numbers are in result.json."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from tilegrad.record import LayerResult, Result
from tilegrad.report.coverage import coverage_rows
from tilegrad.report.engineering import at_most, counted, cycles, joules, percent, scientific
from tilegrad.report.foremost import foremost, left_out
from tilegrad.report.limits import AREA, STATUS, at_cap, hardware_text, is_low, limit_rows
from tilegrad.report.measured import measured_cells, measured_headings
from tilegrad.report.networks import rule_rows
from tilegrad.report.speed import speed_rows
from tilegrad.report.training_range import prediction_rows


def summary_rows(result: Result) -> dict[str, str]:
    """Return the figures of a run by name, as a person reads them."""
    return {
        "EDP": f"{scientific(result.edp)} uJ*cycles",
        "energy": joules(result.energy_uj),
        "latency": cycles(result.cycles),
        **speed_rows(result),
        **(prediction_rows(result, result.predicted) if result.predicted else {}),
        **measured_rows(result),
        "area": f"{result.area_mm2:.3g} mm2{at_cap(result, AREA)}",
        "hardware": hardware_text(result),
        **limit_rows(result),
        **coverage_rows(result),
        "objective": result.objective,
        **rule_rows(result),
        **gap_rows(result),
        "samples": counted(result.samples),
        "search time": f"{result.seconds:.1f} s",
        "status": STATUS[result.status],
        **({"warning": "; ".join(result.warnings)} if result.warnings else {}),
    }


def measured_rows(result: Result) -> dict[str, str]:
    """Return what the network takes on the machine, where all of its layers were measured."""
    if result.measured is None:
        return {}
    found = result.measured
    return {
        "measured EDP": f"{scientific(found.edp)} uJ*cycles (of {found.programs} programs)",
        "measured latency": cycles(found.cycles),
    }


def gap_rows(result: Result) -> dict[str, str]:
    """Return what was proven of the objective, if anything was."""
    if result.gap is None or result.bound is None:
        return {} if result.unproven is None else {"proven": f"nothing: {result.unproven}"}
    return {"proven": f"at most {at_most(result.gap)} above the optimum"}


def summary_table(result: Result) -> Table:
    """Return the figures of a run: one row each."""
    table = Table(
        title=Text(f"{result.workload} on {result.accelerator}, {result.strategy} search"),
        show_header=False,
    )
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in summary_rows(result).items():
        table.add_row(name, Text(value))
    return table


def layer_table(result: Result) -> Table:
    """Return the foremost layers' mapping, energy, cycles and bottleneck.

    Energy and cycles are of one execution; the shares below them are those of all executions.
    """
    table = Table(
        title="one execution of each layer (%: share of the network, all executions)",
        show_lines=True,
        caption=left_out(result) or None,
    )
    table.add_column("layer and mapping", overflow="fold", ratio=1)
    table.add_column("count", justify="right", no_wrap=True)
    table.add_column("energy", justify="right", no_wrap=True)
    table.add_column("cycles", justify="right", no_wrap=True)
    if result.predicted:
        table.add_column("predicted", justify="right", no_wrap=True)
    measured = measured_headings(result)[:1]
    for heading in measured:
        table.add_column(heading.partition(" ")[0], justify="right", no_wrap=True)
    table.add_column("bottleneck", overflow="fold")
    for layer in foremost(result).layers:
        table.add_row(*_cells(layer, result.energy_uj, result.cycles, measured))
    return table


def share(value: float, total: float) -> str:
    """Return ``value`` in percent of ``total``."""
    return percent(value / total if total else 0.0)


def _cells(
    layer: LayerResult, energy: float, latency: float, measured: tuple[str, ...]
) -> tuple[Text, ...]:
    return (
        Text.assemble((layer.name, "bold"), "\n", layer.mapping),
        Text(str(layer.count)),
        _above(joules(layer.energy_uj), share(layer.total_energy_uj, energy)),
        _above(counted(layer.cycles), share(layer.total_cycles, latency)),
        *([] if layer.predicted_cycles is None else [Text(counted(layer.predicted_cycles))]),
        *map(Text, measured_cells(layer, measured)),
        _bound(layer),
    )


def _bound(layer: LayerResult) -> Text:
    """Return the bottleneck and, where that is known, how busy the PEs are."""
    used = layer.pe_utilisation
    if used is None:
        return Text(layer.bottleneck)
    return Text.assemble(
        layer.bottleneck, "\n", (f"{percent(used)} of PEs", "yellow" if is_low(used) else "dim")
    )


def _above(first: str, second: str) -> Text:
    return Text.assemble(first, "\n", (second, "dim"))

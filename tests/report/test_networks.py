"""What is shown of several networks on one hardware."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tilegrad.accelerator import Accelerator
from tilegrad.errors import DataError
from tilegrad.record import parse_result
from tilegrad.report import network_table, write_report
from tilegrad.report.summary import summary_rows
from tilegrad.workload import Problem, Workload

pytestmark = pytest.mark.usefixtures("blank")

Record = dict[str, Any]


@pytest.fixture
def shared(record: Record) -> Record:
    """Return a record whose layers are of two networks."""
    own = {
        "edp": 2e9, "energy_uj": 2e3, "cycles": 1e6, "area_mm2": 1.5,
        "hardware": {"pe_dim": 8}, "gap": 0.001, "status": "complete",
    }  # fmt: skip
    one = {"name": "one", "weight": 2, "layers": 1, "edp": 3e9, "energy_uj": 2e3, "cycles": 1.5e6}
    other = {**one, "name": "other", "weight": 1, "layers": len(record["layers"]) - 1}
    networks = [{**one, "price": 1.5, "own": own}, other]
    return record | {"rule": "geomean", "value": 3e9, "networks": networks}


def test_each_network_has_a_row_with_its_price(shared: Record) -> None:
    result = parse_result(shared)
    rows = summary_rows(result)
    assert rows["minimised"] == "the weighted geometric mean of edp: 3.000e9"
    assert rows["price of sharing"] == "one 1.5000x"
    table = network_table(result)
    assert table is not None
    console = Console(width=100)
    with console.capture() as shown:
        console.print(table)
    for text in ("1.5000x", "2.000e9, at most 0.1 % above the optimum", "other"):
        assert text in shown.get()


def test_one_network_has_no_such_rows(record: Record) -> None:
    result = parse_result(record)
    assert network_table(result) is None
    assert not {"minimised", "price of sharing"} & set(summary_rows(result))


def test_the_page_lists_them(
    record_of: Callable[[Workload], Record], leave_run: Callable[..., Path], gemmini: Accelerator
) -> None:
    layers = (Problem("one.mm", (1, 1, 4, 1, 8, 8, 1)), Problem("two.mm", (1, 1, 2, 1, 8, 8, 1)))
    workload = Workload("one+two", layers)
    each = {"weight": 1, "layers": 1, "edp": 3e9, "energy_uj": 2e3, "cycles": 1.5e6, "price": 1.25}
    networks = [{"name": "one", **each}, {"name": "two", **each}]
    directory = leave_run(record_of(workload) | {"rule": "sum", "value": 6e9, "networks": networks})
    write_report(directory, gemmini, workload)
    page = (directory / "report.html").read_text(encoding="utf-8")
    assert "<h2>Networks</h2>" in page
    assert "1.2500x" in page
    assert '<a href="#networks">' in page
    assert "EDP [µJ·cycles]" in page.split("<h2>Networks</h2>")[1].split("</table>")[0]


def test_networks_without_all_layers_are_refused(shared: Record) -> None:
    shared["networks"][0]["layers"] = 2
    with pytest.raises(DataError, match=r"networks.*layers"):
        parse_result(shared)

"""Whole runs of ``search.py front=[...]``: table, page, going on, and what it refuses."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf

import tilegrad
from tests.helpers_scripts import Command, Script
from tilegrad.commands.front import front_directory
from tilegrad.front_runs import FrontRun
from tilegrad.sweeps.record import COMPLETE, JobRecord
from tilegrad.sweeps.table import jobs_table

SHORT = (
    "workload=small.csv", "strategy.starts=4", "strategy.steps=5", "strategy.polish_rows=5000",
    "caps.pe_dim=16",
)  # fmt: skip
FRONT = (*SHORT, "points=3", "dir=out")

DRAWN = (
    "workload=small.csv", "strategy=random", "strategy.designs=60", "caps.pe_dim=8", "dir=out",
    "front=[edp,area_mm2]", "points=3", "report=false", "bound=none",
)  # fmt: skip
"""A front in a second or two: its searches draw random designs."""


@pytest.fixture
def blank() -> None:
    """Draw the pictures here."""


@pytest.fixture
def searching(script: Script) -> Command:
    """Return a function that runs ``search.py`` with arguments."""
    return lambda *arguments: script("search", *arguments)


def _rows(directory: Path) -> list[dict[str, str]]:
    with (directory / "front.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.exhaustive
def test_every_design_is_as_good_as_a_search_under_its_cap(
    searching: Command, directory: Path
) -> None:
    ended = searching(*FRONT, "front=[edp,area_mm2]")
    assert ended.code == 0, ended.err
    rows = _rows(directory / "out")
    assert [row["place"] for row in rows] == [f"points/{n}" for n in ("loosest", "001", "002")]
    for row in rows[1:]:
        assert float(row["area_mm2"]) <= float(row["cap_area_mm2"])
        alone = searching(*SHORT, f"caps.area_mm2={row['cap_area_mm2']}", f"dir={row['place']}")
        assert alone.code == 0
        found = json.loads((directory / row["place"] / "result.json").read_text())
        assert float(row["edp"]) <= found["edp"] * 1.001
        assert float(row["gap"]) <= 0.001
    # Looser caps hold what tighter ones found before them do.
    by_cap = sorted(rows[1:], key=lambda row: float(row["cap_area_mm2"])) + rows[:1]
    edps = [float(row["edp"]) for row in by_cap]
    assert edps == sorted(edps, reverse=True)


@pytest.mark.slow
def test_the_page_leads_to_each_design_and_the_same_command_shows_it_again(
    searching: Command, directory: Path
) -> None:
    command = (*DRAWN, "front=[energy,latency_ms,area_mm2]", "report=true")
    assert searching(*command).code == 0
    page = (directory / "out" / "front.html").read_text()
    kept = [row for row in _rows(directory / "out") if row["on_front"] == "1"]
    assert len(kept) > 1
    links = re.findall(r'<a xlink:href="([^"]+)"[^>]*><title>energy [^<]+</title>', page)
    assert sorted(links) == sorted(f"{row['place']}/report.html" for row in kept)
    assert all((directory / "out" / link).exists() for link in links)
    before = {path: path.read_bytes() for path in (directory / "out").glob("front.*")}
    again = searching(*command)
    assert again.code == 0
    assert before == {path: path.read_bytes() for path in (directory / "out").glob("front.*")}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["front=[edp]"], "front is ['edp']; legal: one of edp, energy, latency and"),
        (["front=[edp,area]"], "unknown front[1] 'area' (legal: area_mm2, latency_ms, power_w"),
        (["front=[area_mm2,edp]"], "unknown front[0] 'area_mm2' (legal: edp, energy, latency"),
        (["front=[edp,area_mm2]", "points=1"], "points is 1; legal: an integer from 2"),
        (["front=[edp,area_mm2]", "caps.area_mm2=2"], "caps.area_mm2 is given beside a front"),
        (
            ["front=[edp,area_mm2]", "logger=csv"],
            "logger is given beside front, whose searches serve none",
        ),
        (
            ["front=[edp,latency_ms]", "accelerator.clock_mhz=null"],
            "caps.latency_ms is of a clock, and accelerator gemmini has none",
        ),
        (["front=[edp,area_mm2]", "objective=energy"], "objective is 'energy' beside front[0]"),
        (["front=[edp,area_mm2]", "baseline=time"], "unknown baseline 'time'"),
        (["spread=ray"], "spread is given, and this is one search; legal: null, or a front"),
        (["baseline=seconds"], "baseline is given, and one search is no front"),
        (["over={node:[40nm,7nm]}"], "over is given, and one search is no front"),
        (["front=[edp,area_mm2]", "over={clock:[1,2]}"], "unknown over 'clock' (legal: node, clo"),
        (["front=[edp,area_mm2]", "over={clock_mhz:[1]}"], "over.clock_mhz is [1]; legal: a list"),
        (
            ["front=[edp,area_mm2]", "over={dram_gbs:[2,2]}"],
            "over.dram_gbs is [2, 2]; legal: different values",
        ),
        (["front=[edp,area_mm2]", "over={dram_gbs:[2,-1]}"], "caps.dram_gbs is -1; legal"),
        (
            ["front=[edp,area_mm2]", "over={node:[40nm,7nm]}"],
            "over.node is of energies that know technology nodes, and accelerator.energy is 'pat'",
        ),
        (
            ["front=[edp,area_mm2]", "accelerator.energy=sram-40nm", "over={node:[40nm,6nm]}"],
            "node is '6nm'; legal: ",
        ),
    ],
)
def test_bad_fronts_are_refused_by_name(
    searching: Command, directory: Path, arguments: list[str], complaint: str
) -> None:
    ended = searching(*SHORT, "dir=out", *arguments)
    assert ended.code == 2
    assert complaint in ended.err
    assert not (directory / "out").exists()


@pytest.mark.slow
def test_random_designs_stand_beside_a_front(searching: Command, directory: Path) -> None:
    ended = searching(*DRAWN, "baseline=samples")
    assert ended.code == 0, ended.err
    drawn = json.loads((directory / "out" / "baseline.json").read_text())
    found = [
        json.loads(path.read_text()) for path in (directory / "out").glob("points/*/result.json")
    ]
    assert drawn["samples"] == sum(result["samples"] for result in found)
    page = (directory / "out" / "front.html").read_text()
    assert f"Random search, {drawn['samples']:,} designs" in page
    assert f"Random search, {drawn['samples']:,} designs" in ended.out
    # Going on draws none anew: it would take another time.
    assert searching(*DRAWN, "baseline=samples").code == 0
    assert json.loads((directory / "out" / "baseline.json").read_text()) == drawn


@pytest.mark.slow
@pytest.mark.parametrize(
    ("over", "places"),
    [
        ("over={node:[40nm,7nm]}", ["node-40nm", "node-7nm"]),
        ("over={dram_gbs:[1,16]}", ["dram_gbs-1", "dram_gbs-16"]),
    ],
)
def test_a_front_for_each_value_in_one_picture(
    searching: Command, directory: Path, over: str, places: list[str]
) -> None:
    ended = searching(*DRAWN, "accelerator.energy=sram-40nm", over)
    assert ended.code == 0, ended.err
    with (directory / "out" / "fronts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    least = {}
    for row in rows:
        place = row["place"].split("/")[0]
        least[place] = min(float(row["edp"]), least.get(place, float("inf")))
        result = json.loads((directory / "out" / row["place"] / "result.json").read_text())
        assert float(row["edp"]) == result["edp"]
    assert list(least) == places
    assert least[places[1]] < least[places[0]]
    page = (directory / "out" / "fronts.html").read_text()
    assert all(f'href="{place}/front.html"' in page for place in places)


@pytest.mark.usefixtures("directory")
def test_a_front_of_a_sweep_lies_in_its_jobs_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HydraConfig.instance(), "cfg", None)
    own = OmegaConf.create({"dir": None})
    assert front_directory(own).parent == Path("outputs/front")
    job = {"mode": RunMode.MULTIRUN, "sweep": {"dir": "sweep", "subdir": "3"}}
    monkeypatch.setattr(HydraConfig.instance(), "cfg", OmegaConf.create({"hydra": job}))
    assert front_directory(own) == Path("sweep/3")
    record = JobRecord(3, ("seed=1",), "sweep/3", COMPLETE, value=2.5)
    assert jobs_table([record]).value.tolist() == [2.5]


@pytest.mark.slow
def test_a_front_from_python(directory: Path) -> None:
    run = tilegrad.search(
        directory / "small.csv", strategy="random", points=3, report=False, bound="none",
        front=["edp", "area_mm2"], overrides=["strategy.designs=60", "caps.pe_dim=8"],
    )  # fmt: skip
    assert isinstance(run, FrontRun)
    assert list(run.designs.place) == ["points/loosest", "points/001", "points/002"]
    kept = run.front
    assert kept.area_mm2.is_monotonic_increasing
    assert kept.edp.is_monotonic_decreasing
    design = run.design(kept.place[0])
    assert design.result.edp == kept.edp[0]
    assert "front" in run.plots
    assert run.plots["front"].startswith(b"\x89PNG")
    assert str(kept.place[0]) in run._repr_html_()
    saved = tilegrad.load(run.save(directory / "kept"))
    assert isinstance(saved, FrontRun)
    assert saved.designs.equals(run.designs)

"""The report of a run: its files, the page, and what is refused."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tilegrad.accelerator import Accelerator
from tilegrad.errors import TilegradError
from tilegrad.record import read_result
from tilegrad.report import write_report
from tilegrad.workload import Problem, Workload

pytestmark = pytest.mark.usefixtures("blank")

Record = dict[str, Any]
Leave = Callable[..., Path]
FILES = [
    "edp_against_samples.png",
    "layer_costs.png",
    "roofline.png",
    "loop_nests.txt",
    "report.html",
]
NASTY = """<script>"alert('x')"</script> & [b]"""


def page(directory: Path) -> ElementTree.Element:
    """Parse the page as XML, which refuses unclosed elements and bare signs."""
    text = (directory / "report.html").read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    return ElementTree.fromstring(text.split("\n", 1)[1])


def test_files_are_written_whole(
    record: Record, leave_run: Leave, gemmini: Accelerator, resnet50: Workload
) -> None:
    directory = leave_run(record)
    assert write_report(directory, gemmini, resnet50) == [directory / name for name in FILES]
    assert {path.name for path in directory.iterdir()} == {*FILES, "result.json", "history.csv"}
    for name in FILES[:2]:
        assert (directory / name).read_bytes().startswith(b"\x89PNG")
    nests = (directory / "loop_nests.txt").read_text(encoding="utf-8")
    assert nests.count("multiply-accumulate") == len(resnet50)


def test_page_holds_the_run(
    record: Record, leave_run: Leave, gemmini: Accelerator, resnet50: Workload
) -> None:
    directory = leave_run(record)
    write_report(directory, gemmini, resnet50)
    root = page(directory)
    text = " ".join(root.itertext())
    assert len(root.findall(".//details/pre")) == len(resnet50)
    assert all(image.get("src", "").startswith("data:image/png") for image in root.iter("img"))
    for layer in record["layers"]:
        assert layer["mapping"] in text
    for name in ("tilegrad 0.1.0", "random", "Scratchpad", "pe_dim 16", "µJ·cycles"):
        assert name in text
    outside = ("http:", "https:", "<script", "<link", "@import", "url(")
    assert not any(sign in (directory / "report.html").read_text() for sign in outside)


def test_page_escapes_every_text(
    record_of: Callable[[Workload], Record], leave_run: Leave, gemmini: Accelerator
) -> None:
    workload = Workload(NASTY, (Problem(NASTY, (3, 3, 7, 7, 16, 16, 1)),))
    record = record_of(workload) | {"git": NASTY, "versions": {NASTY: NASTY}, "strategy": NASTY}
    directory = leave_run(record)
    write_report(directory, gemmini, workload)
    root = page(directory)
    assert root.findtext("head/title") == f"{NASTY} on gemmini"
    assert root.findtext(".//details/summary") == NASTY
    assert root.find(".//script") is None


def test_many_layers_and_one_sample(
    record_of: Callable[[Workload], Record], leave_run: Leave, gemmini: Accelerator
) -> None:
    layers = tuple(Problem(f"conv{i}", (1, 1, 4, 4, 16, i + 1, 1)) for i in range(40))
    workload = Workload("deep", layers)
    directory = leave_run(record_of(workload), "samples,seconds,edp\n1,0.0,5e9\n")
    write_report(directory, gemmini, workload)
    assert len(page(directory).findall(".//details")) == 40


def test_reading_returns_what_was_written(record: Record, leave_run: Leave) -> None:
    result = read_result(leave_run(record))
    assert result.edp == record["edp"]
    assert result.hardware == record["hardware"]
    assert [layer.mapping for layer in result.layers] == [la["mapping"] for la in record["layers"]]
    assert sum(la.total_energy_uj for la in result.layers) == pytest.approx(record["energy_uj"])
    assert result.parts == ("arithmetic", "Registers", "Accumulator", "Scratchpad", "DRAM")


def _set(record: Record, path: str, value: object) -> None:
    *parents, last = path.split("/")
    for parent in parents:
        record = record[int(parent)] if isinstance(record, list) else record[parent]
    if value is KeyError:
        del record[last]
    else:
        record[last] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("edp", KeyError, "field edp is missing"),
        ("edp", "big", "field edp is 'big' (legal: a finite number >= 0)"),
        ("energy_uj", float("nan"), "field energy_uj is nan"),
        ("cycles", -1, "field cycles is -1"),
        ("cycles", True, "field cycles is True"),
        ("samples", 10**400, "field samples is 1000"),
        ("strategy", "", "field strategy is '' (legal: a non-empty text)"),
        ("status", "done", "field status is 'done' (legal: 'complete', 'budget' or 'interrupted')"),
        ("hardware", [16], "field hardware is [16] (legal: an object of named fields)"),
        ("hardware/pe_dim", KeyError, "field hardware.pe_dim is missing"),
        ("hardware/pe_dim", "16", "field hardware.pe_dim is '16'"),
        ("layers", [], "field layers is [] (legal: a non-empty list)"),
        ("layers/3/energy_uj", None, "field layers[3].energy_uj is None"),
        ("layers/3/problem/K", KeyError, "field layers[3].problem.K is missing"),
        (
            "layers/3/problem/K",
            0,
            "field layers[3].problem.K is 0 (legal: an integer from 1 to 2**53)",
        ),
        ("layers/3/problem/K", 7, "is not a layer of the workload 'resnet50'"),
        ("layers/3/bottleneck", "L9", "field layers[3].bottleneck is 'L9' (legal: arithmetic, "),
        ("layers/3/energy_by_part_uj/DRAM", KeyError, "field layers[3].energy_by_part_uj is {"),
        ("layers/3/cycles_by_part/Cache", 1, "field layers[3].cycles_by_part is {"),
        ("layers/3/mapping", "K8", "field layers[3].mapping: mapping 'K8' has 1 levels"),
        (
            "layers/3/mapping",
            "L3[WIO] N1 - L2[WI] N1 - L1[O] N1 - L0[W] N1",
            "field layers[3].mapping: the factors of",
        ),
    ],
)
def test_wrong_fields_are_named(
    path: str,
    value: object,
    message: str,
    record: Record,
    leave_run: Leave,
    gemmini: Accelerator,
    resnet50: Workload,
) -> None:
    _set(record, path, value)
    directory = leave_run(record)
    with pytest.raises(TilegradError) as caught:
        write_report(directory, gemmini, resnet50)
    assert message in str(caught.value)
    assert "result.json" in str(caught.value)
    assert {path.name for path in directory.iterdir()} == {"result.json", "history.csv"}


@pytest.mark.parametrize("content", [None, "", "{", "[]", "3", '{"edp": 1', b"\xff\xfe\x00"])
def test_broken_result_is_refused(
    content: str | bytes | None,
    tmp_path: Path,
    gemmini: Accelerator,
    resnet50: Workload,
) -> None:
    if content is not None:
        path = tmp_path / "result.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TilegradError, match=r"result\.json: "):
        write_report(tmp_path, gemmini, resnet50)


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ("", "the columns are absent"),
        (
            "samples,edp\n1,2\n",
            "the columns are samples, edp (legal: samples, seconds, edp)",
        ),
        ("samples,seconds,edp\n", "has no rows"),
        ("samples,seconds,edp\n1,2\n", "row 1: has 2 fields (legal: 3)"),
        ("samples,seconds,edp\n1,1,2\n2,x,2\n", "row 2: field seconds is 'x'"),
        ("samples,seconds,edp\n1,1,nan\n", "row 1: field edp is 'nan'"),
        ("samples,seconds,edp\n1,1,0\n", "row 1: field edp is '0'"),
        ("samples,seconds,edp\n-1,1,5\n", "row 1: field samples is '-1'"),
        ("samples,seconds,edp\n5,1,5\n4,2,5\n", "row 2: field samples is 4 (legal: at least the 5"),
    ],
)
def test_broken_history_is_refused(
    history: str,
    message: str,
    record: Record,
    leave_run: Leave,
    gemmini: Accelerator,
    resnet50: Workload,
) -> None:
    directory = leave_run(record, history)
    with pytest.raises(TilegradError) as caught:
        write_report(directory, gemmini, resnet50)
    assert message in str(caught.value)
    assert "history.csv" in str(caught.value)


def test_history_that_is_no_text_is_refused(
    record: Record, leave_run: Leave, gemmini: Accelerator, resnet50: Workload
) -> None:
    directory = leave_run(record)
    (directory / "history.csv").write_bytes(b"samples,seconds,edp\n\xff\xfe\n")
    with pytest.raises(TilegradError, match=r"history\.csv: is not a CSV table"):
        write_report(directory, gemmini, resnet50)


def test_missing_history_is_refused(
    record: Record, tmp_path: Path, gemmini: Accelerator, resnet50: Workload
) -> None:
    (tmp_path / "result.json").write_text(json.dumps(record))
    with pytest.raises(TilegradError, match=r"history\.csv: cannot be read: No such file"):
        write_report(tmp_path, gemmini, resnet50)


def test_a_place_that_cannot_be_written_is_named(
    record: Record, leave_run: Leave, gemmini: Accelerator, resnet50: Workload
) -> None:
    directory = leave_run(record)
    (directory / "loop_nests.txt").mkdir()
    with pytest.raises(TilegradError, match=r"loop_nests\.txt: cannot be written"):
        write_report(directory, gemmini, resnet50)
    assert not list(directory.glob(".*"))


PROVEN = "samples,seconds,edp,value,bound\n1,0.5,9e9,9e9,0\n2,1.0,2e9,2e9,1.5e9\n"


def test_a_proof_has_a_picture_of_its_gap(
    record: Record, leave_run: Leave, gemmini: Accelerator, resnet50: Workload
) -> None:
    directory = leave_run(record | {"gap": 1 / 3, "bound": 1.5e9}, PROVEN)
    written = write_report(directory, gemmini, resnet50)
    assert directory / "gap_against_seconds.png" in written
    text = " ".join(page(directory).itertext())
    assert "at most 33.34 % above the optimum" in text
    assert "what no design of the mapspace undercuts" in text

"""Layer tables: round trips, and every kind of malformed table named by file, line and field."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tilegrad.workload import Problem, Workload, read_layer_table

HEADER = "layer,R,S,P,Q,C,K\n"
GOOD = HEADER + "conv1,3,3,8,8,4,16\n"

problems = st.builds(
    Problem,
    st.text("abc_.0123456789", min_size=1).map(lambda text: f"layer{text}"),
    st.tuples(*[st.integers(1, 2**53)] * 7),
    st.tuples(*[st.integers(1, 9)] * 4),
    st.integers(1, 99),
)


def to_rows(workload: Workload) -> list[dict[str, object]]:
    return [{"layer": x.name, "count": x.count, **x.as_dict()} for x in workload]


def to_csv(workload: Workload) -> str:
    text, rows = io.StringIO(), to_rows(workload)
    writer = csv.DictWriter(text, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@given(st.lists(problems, min_size=1, max_size=5, unique_by=lambda layer: layer.name))
def test_table_and_back(layers: list[Problem]) -> None:
    workload = Workload("net", tuple(layers))
    texts = {
        "net.csv": to_csv(workload),
        "net.yaml": yaml.safe_dump(to_rows(workload)),
        "net.yml": yaml.safe_dump({"layers": to_rows(workload)}),
    }
    with TemporaryDirectory() as folder:
        for name, text in texts.items():
            path = Path(folder) / name
            path.write_text(text)
            assert read_layer_table(path) == workload


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def write_file(name: str, text: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write_file


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("layer", "name"),
        GOOD.replace(",", " , ").replace("8", "8.0"),
        GOOD.replace("\n", "\n\n"),
        "layer,K,C,Q,P,S,R,N,Wstride\n" + '"conv1",16,4,8,8,3,3,1,1',
    ],
)
def test_spellings_of_one_csv_table(write: Callable[..., Path], text: str) -> None:
    workload = read_layer_table(write("net.csv", text))
    assert workload == Workload("net", (Problem("conv1", (3, 3, 8, 8, 4, 16, 1)),))


def test_yaml_anchors_and_merged_keys(write: Callable[..., Path]) -> None:
    text = """
    - &base {layer: a, R: 3, S: 3, P: 8, Q: "8", C: 4.0, K: 16}
    - {<<: *base, layer: 7, K: 2}
    """
    workload = read_layer_table(write("net.yaml", text))
    assert [(layer.name, layer.bounds[5]) for layer in workload] == [("a", 16), ("7", 2)]


TWO = "network," + HEADER + "one,a,3,3,8,8,4,16\ntwo,b,1,1,8,8,4,16\none,c,3,3,8,8,4,16\n"


def test_network_chooses(write: Callable[..., Path]) -> None:
    path = write("nets.csv", TWO)
    one = read_layer_table(path, network="one")
    assert one == Workload("one", (Problem("a", (3, 3, 8, 8, 4, 16, 1), count=2),))
    only = read_layer_table(write("nets.csv", TWO.replace("\ntwo", "\none")))
    assert (only.name, len(only)) == ("one", 2)


@pytest.mark.parametrize(
    ("text", "network", "words"),
    [
        (TWO, None, ["field network", "legal: one, two"]),
        (TWO, "tow", ["unknown network 'tow'", "nearest: two"]),
        (GOOD, "one", ["no column network", "'one'"]),
    ],
)
def test_network_refusals(
    write: Callable[..., Path],
    refused: Callable[..., None],
    text: str,
    network: str | None,
    words: list[str],
) -> None:
    path = write("nets.csv", text)
    refused(lambda: read_layer_table(path, network), "nets.csv", *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty"]),
        ("\n\n", ["empty"]),
        (HEADER, ["no layers"]),
        ("this is no table\n", ["line 1", "unknown column 'this is no table'"]),
        (GOOD.replace("layer,", "layr,"), ["line 1", "'layr'", "nearest: layer"]),
        (HEADER.replace("\n", ",cuont\n"), ["line 1", "'cuont'", "nearest: count"]),
        (GOOD.replace("layer,R", "layer,S"), ["line 1", "column S is given twice"]),
        (GOOD.replace(",", ";"), ["line 1", "separated by ';'", "legal: ','"]),
        (GOOD.replace(",", "\t"), ["line 1", "separated by tabs", "legal: ','"]),
        (GOOD + "conv1,1,1,8,8,4,16\n", ["line 3", "'conv1'", "another shape", "line 2"]),
        ("name," + GOOD, ["line 1", "column layer or a column name"]),
        ("R,S,P,Q,C,K\n1,1,1,1,1,1\n", ["line 1", "column layer"]),
        (HEADER.replace(",K", ""), ["line 1", "column K is missing", "required: layer, R"]),
        (GOOD + "conv2,3,3,8,8,4\n", ["line 3", "cut short", "field K"]),
        (GOOD + "conv2\n", ["line 3", "cut short", "field R"]),
        (GOOD + "conv2,3,3,8,8,4,16,9\n", ["line 3", "after its last field K", "'9'"]),
        (GOOD + "\n\nconv2,3,3,8,8,4,abc\n", ["line 5", "'conv2'", "field K", "'abc'"]),
        (GOOD + "conv2,3,3,3.5,8,4,16\n", ["line 3", "'conv2'", "field P", "'3.5'"]),
        (GOOD + "conv2,3,3,8,,4,16\n", ["line 3", "field Q", "''"]),
        (GOOD + "conv2,0,3,8,8,4,16\n", ["line 3", "field R", "0", "legal: an integer from 1"]),
        (GOOD + "conv2,3,-3,8,8,4,16\n", ["line 3", "field S", "-3"]),
        (GOOD + "conv2,3,3,nan,8,4,16\n", ["line 3", "field P", "'nan'"]),
        (GOOD + "conv2,3,3," + "9" * 5000 + ",8,4,16\n", ["line 3", "field P", "999"]),
        (GOOD + " ,3,3,8,8,4,16\n", ["line 3", "field layer", "''"]),
        (GOOD + '"conv2,3,3,8,8,4,16\n', ["line 3", "not legal CSV"]),
        (GOOD.encode() + b"conv\xff,3,3,8,8,4,16\n", ["line 3", "0xff", "not UTF-8"]),
        ("count," + HEADER + "2.5,a,1,1,1,1,1,1\n", ["line 2", "'a'", "field count", "'2.5'"]),
        ("network," + HEADER + ",a,1,1,1,1,1,1\n", ["line 2", "field network", "''"]),
    ],
)
def test_malformed_csv(
    write: Callable[..., Path], refused: Callable[..., None], text: str, words: list[str]
) -> None:
    path = write("net.csv", text)
    refused(lambda: read_layer_table(path), str(path), *words)


A = "{layer: a, R: 3, S: 3, P: 8, Q: 8, C: 4, K: 16}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["not a layer table", "a list of mappings"]),
        ("[]", ["no layers"]),
        ("just words", ["not a layer table"]),
        ("layers: 3", ["not a layer table"]),
        ("layer: []", ["line 1", "unknown key 'layer'", "nearest: layers"]),
        (f"- {A}\n- 3\n", ["item 2", "3", "a mapping"]),
        (f"- {A}\n- {A.replace('Q:', 'W:')}\n", ["line 2", "unknown column 'W'"]),
        (f"- {A.replace('K: 16', 'Wstrid: 2')}\n", ["line 1", "nearest: Wstride"]),
        (f"layers:\n  - {A.replace(', K: 16', '')}\n", ["line 2", "column K is missing"]),
        (f"- {A.replace('16', '3.5')}\n", ["line 1", "layer 'a'", "field K", "3.5"]),
        (f"- {A.replace('16', 'abc')}\n", ["line 1", "layer 'a'", "field K", "'abc'"]),
        (f"- {A.replace('16', 'true')}\n", ["line 1", "field K", "True"]),
        (f"- {A.replace('16', '')}\n", ["line 1", "field K", "None"]),
        (f"- {A.replace('16', '[1]')}\n", ["line 1", "field K", "[1]"]),
        (f"- {A}\n\n- {A.replace('16', '0')}\n", ["line 3", "field K", "0"]),
        (f"- {A.replace('layer: a', 'layer: ')}\n", ["line 1", "field layer", "None"]),
        (f"- {A.replace('layer: a', 'layer: yes')}\n", ["line 1", "field layer", "True"]),
        (f"- {A.replace('K: 16', 'P: 16')}\n", ["line 1", "key 'P' is given twice"]),
        (f"- {A.replace('R: 3', '[R]: 3')}\n", ["line 1", "a plain name"]),
        (f"- {A[:-1]}, name: b}}\n", ["line 1", "column layer or a column name"]),
        (f"- {A[:-1]}\n", ["line 2", "YAML"]),
        (f"- {A}\n---\n- {A}\n", ["line 2", "YAML"]),
        ("- !include other.yaml\n", ["line 1", "YAML", "!include"]),
        ("[" * 5000, ["YAML"]),
        (f"- {A.replace('16', '2020-99-99')}\n", ["YAML", "month"]),
        (b"- {layer: \xff}\n", ["line 1", "0xff", "not UTF-8"]),
        (f"- {A.replace('K: 16', 'K: 1, network: n')}\n- {A}\n", ["line 2", "field network"]),
    ],
)
def test_malformed_yaml(
    write: Callable[..., Path], refused: Callable[..., None], text: str, words: list[str]
) -> None:
    path = write("net.yaml", text)
    refused(lambda: read_layer_table(path), str(path), *words)


def test_unreadable_paths(refused: Callable[..., None], tmp_path: Path) -> None:
    refused(lambda: read_layer_table(tmp_path / "no.csv"), "no.csv", "No such file")
    refused(lambda: read_layer_table(tmp_path / "net.txt"), "net.txt", "'.txt'", "legal: .csv")
    (tmp_path / "folder.csv").mkdir()
    refused(lambda: read_layer_table(tmp_path / "folder.csv"), "folder.csv", "Is a directory")

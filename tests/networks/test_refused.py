"""Broken models and settings: refused in one paragraph that names the field or the operator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.networks import modules
from tests.networks.helpers import refusal
from tilegrad.networks.exported.load import from_module, load_exported

HERE = "tests.networks.modules"

MODELS: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"model": "resnet18"}, ("workload.model", "'resnet18'", "import path", ".pt2")),
    ({"model": "a/b.onnx"}, ("workload.model", "a/b.onnx", "import path")),
    ({"model": "no_such_package.Net"}, ("no module 'no_such_package'", "PYTHONPATH")),
    ({"model": f"{HERE}.Twoer"}, ("holds no 'Twoer'", "nearest: Tower")),
    ({"model": f"{HERE}.Xyzzy"}, ("holds no 'Xyzzy'", "nothing there")),
    ({"model": f"{HERE}.number"}, (f"{HERE}.number is a int", "torch.nn.Module")),
    ({"model": f"{HERE}.no_module"}, ("makes a int", "torch.nn.Module")),
    ({"model": f"{HERE}.broken"}, ("cannot be made", "RuntimeError: no such luck")),
    (
        {"model": f"{HERE}.Tower", "arguments": {"widht": 4}},
        ("unknown argument 'widht'", "nearest: width"),
    ),
    ({"model": f"{HERE}.Tower", "arguments": {"width": "x"}}, ("cannot be made", "'width': 'x'")),
    ({"model": f"{HERE}.Tower", "input": None}, ("workload.input is missing",)),
    ({"model": f"{HERE}.Tower", "input": "224"}, ("workload.input is '224'", "[1,3,224,224]")),
    ({"model": f"{HERE}.Tower", "input": [1, 3, 0, 8]}, ("workload.input[2]: 0", "1 to")),
    ({"model": f"{HERE}.Tower", "input": [1, 3, 8.5, 8]}, ("workload.input[2]: 8.5",)),
    ({"model": f"{HERE}.Tower", "input": {"x": {"shpe": [1]}}}, ("workload.input.x", "'shpe'")),
    (
        {"model": f"{HERE}.Words", "input": [{"shape": [2, 5], "type": "int46"}, [1]]},
        ("workload.input[0]", "'int46'", "nearest: int"),
    ),
    ({"model": f"{HERE}.Tower", "input": [1, 4, 16, 16]}, ("modules.py", "self.stem", "channels")),
    ({"model": f"{HERE}.Tower", "input": [[1, 3, 16, 16], [1]]}, ("torch.export cannot", "Tower")),
    ({"model": f"{HERE}.Tower", "input": {"y": [1, 3, 16, 16]}}, ("torch.export cannot", "y")),
    ({"model": f"{HERE}.Values"}, ("modules.py", "if x.sum() > 0", "does not depend on values")),
    ({"model": f"{HERE}.Loop"}, ("modules.py", "int(x.sum())", "does not depend on values")),
    ({"model": f"{HERE}.Cond"}, ("operator cond", "control flow")),
    (
        {"model": f"{HERE}.Custom"},
        ("operator tilegrad_tests.mystery", "workload.skip=[tilegrad_tests.mystery]"),
    ),
    ({"model": f"{HERE}.Plain"}, ("Plain", "no convolution", "aten.relu")),
    (
        {"model": f"{HERE}.Tower", "input": [1, 3, 16, 16], "stationary": "third"},
        ("workload.stationary", "'third'", "second, first"),
    ),
    (
        {"model": f"{HERE}.Tower", "input": [1, 3, 16, 16], "symbols": {"batch": 2}},
        ("workload.symbols.batch", "no such symbol"),
    ),
    (
        {"model": f"{HERE}.Tower", "input": [1, 3, 16, 16], "symbols": {"batch": 0}},
        ("workload.symbols.batch: 0",),
    ),
    ({"model": "missing.pt2", "input": None}, ("missing.pt2", "no such file")),
]


@pytest.mark.parametrize(("fields", "words"), MODELS)
def test_a_broken_model_is_refused_by_name(fields: dict[str, Any], words: tuple[str, ...]) -> None:
    message = refusal(lambda: load_exported(**{"input": [4, 4], **fields}))
    missing = [word for word in words if word not in message]
    assert not missing, f"{missing} not in: {message}"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a program whose batch is a symbol."""
    path = tmp_path_factory.mktemp("programs") / "net.pt2"
    batch = {"x": {0: torch.export.Dim("batch", max=64)}}
    example = (torch.zeros(2, 5, 16),)
    module = modules.Products()
    exported = torch.export.export(module, example, dynamic_shapes=batch, strict=False)
    torch.export.save(exported, path)
    return path


def test_a_symbol_without_a_value_is_named(program: Path) -> None:
    message = refusal(lambda: load_exported(str(program)))
    assert "give workload.symbols.s" in message
    assert "operator aten.linear at query" in message
    wrong = refusal(lambda: load_exported(str(program), symbols={"batch": 3}))
    assert "workload.symbols.batch: net has no such symbol (legal: s" in wrong


def test_a_program_has_its_own_shapes(program: Path) -> None:
    assert "workload.input=null" in refusal(lambda: load_exported(str(program), [1, 2]))


@pytest.mark.parametrize("kept", [0, 100, -200])
def test_a_corrupt_file_is_named(kept: int, program: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.pt2"
    path.write_bytes(program.read_bytes()[:kept])
    assert f"{path}: cannot be read as an exported program" in refusal(
        lambda: load_exported(str(path))
    )


def test_an_operator_may_be_left_out_by_name() -> None:
    skip = ["tilegrad_tests.mystery"]
    found = load_exported(f"{HERE}.Custom", [4, 4], skip=skip)
    assert found.coverage is not None
    assert found.coverage.unknown == ("tilegrad_tests.mystery",)
    assert "left out by workload.skip" in [each.reason for each in found.coverage.left_out]


def test_a_module_in_hand_is_refused_by_its_name() -> None:
    assert "Plain" in refusal(lambda: from_module(modules.Plain(), torch.zeros(2)))
    packed = refusal(lambda: from_module(modules.Packed(), torch.zeros(3, 5, 8)))
    assert "self.cells(packed)" in packed

"""ONNX files as workloads: the same layers as PyTorch's, and nothing dropped unsaid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from onnx import TensorProto, helper

from tests.entry.conftest import SMALL
from tests.helpers_scripts import Script
from tests.networks import modules
from tests.networks import onnx_models as models
from tests.networks.helpers import by_name, counter_macs, macs, refusal, sizes
from tilegrad.fingerprint.parts import config_parts
from tilegrad.networks.exported.load import from_module
from tilegrad.networks.onnx_files.load import load_onnx
from tilegrad.record import read_result
from tilegrad.workload import Workload


@pytest.fixture
def loaded(tmp_path: Path) -> Any:
    """Return a function that writes a model and loads it."""

    def load(
        text: str,
        weights: dict[str, tuple[int, ...]] | None = None,
        opset: int = 18,
        **settings: Any,
    ) -> Workload:
        path = models.write(tmp_path / "net.onnx", text, weights, opset)
        return load_onnx(str(path), **settings)

    return load


def test_the_same_network_has_the_same_layers_from_pytorch(loaded: Any) -> None:
    ours = loaded(models.TOWER, models.TOWER_WEIGHTS, symbols={"batch": 2})
    theirs = from_module(modules.Tower(), torch.zeros(2, 3, 16, 16))
    assert ours.layers == theirs.layers
    assert macs(ours) == counter_macs(modules.Tower(), torch.zeros(2, 3, 16, 16))
    told = {each.operator: each for each in ours.coverage.left_out}
    assert set(told) == {
        "BatchNormalization", "Relu", "MaxPool", "GlobalAveragePool", "Flatten"
    }  # fmt: skip
    assert told["Relu"].elements == 2 * 8 * 8 * 16
    assert ours.coverage.share == 1


def test_products_by_hand_and_by_equation(loaded: Any) -> None:
    found = by_name(loaded(models.PRODUCTS, models.PRODUCTS_WEIGHTS))
    assert sizes(found["q"], "P", "C", "K") == (10, 16, 32)
    assert sizes(found["s"], "G", "P", "C", "K") == (8, 5, 8, 5)
    assert sizes(found["y"], "G", "P", "C", "K") == (8, 5, 5, 8)
    # The parameter is the weights, though it comes first.
    assert sizes(found["e"], "P", "C", "K") == (10, 16, 7)
    assert "o" not in found


def test_an_equation_without_a_sum_is_left_out_with_its_reason(loaded: Any) -> None:
    left_out = loaded(models.PRODUCTS, models.PRODUCTS_WEIGHTS).coverage.left_out
    (einsum,) = [each for each in left_out if each.operator == "Einsum"]
    assert einsum.reason.startswith("einsum ij,ij->ij: it multiplies element by element")
    assert einsum.macs == 0


def test_either_operand_of_two_activations_may_stand_still(loaded: Any) -> None:
    settings = {"stationary": "first"}
    found = by_name(loaded(models.PRODUCTS, models.PRODUCTS_WEIGHTS, **settings))
    assert sizes(found["y"], "G", "P", "C", "K") == (8, 8, 5, 5)
    assert sizes(found["q"], "P", "C", "K") == (10, 16, 32)


def test_grouped_queries_share_their_keys(loaded: Any) -> None:
    found = by_name(loaded(models.GROUPED))
    assert sizes(found["s"], "G", "P", "C", "K") == (4, 15, 8, 5)
    assert sizes(found["y"], "G", "P", "C", "K") == (4, 15, 5, 8)


def test_fused_attention_with_a_cache(loaded: Any) -> None:
    found = by_name(loaded(models.ATTENTION, opset=23))
    assert sizes(found["y.scores"], "G", "P", "C", "K") == (4, 15, 8, 12)
    assert sizes(found["y.values"], "G", "P", "C", "K") == (4, 15, 12, 8)


def test_recurrent_layers(loaded: Any) -> None:
    found = by_name(loaded(models.RECURRENT, models.RECURRENT_WEIGHTS))
    assert sizes(found["y.input"], "P", "C", "K") == (15, 8, 64)
    assert sizes(found["y.hidden"], "P", "C", "K") == (3, 16, 64)
    assert (found["y.input"].count, found["y.hidden"].count) == (2, 10)


def test_one_axis_and_groups(loaded: Any) -> None:
    (layer,) = loaded(models.LINE, {"line.weight": (4, 3, 5)})
    assert layer.name == "line"
    assert sizes(layer, "R", "S", "P", "Q", "C", "K", "G") == (5, 1, 6, 1, 3, 2, 2)


def test_quantised_convolutions(tmp_path: Path) -> None:
    path = models.write(tmp_path / "net.onnx", models.QUANTISED, {"scale": ()})
    model = onnx.load(str(path))
    for name, shape in (("zero", ()), ("weight", (4, 3, 3, 3))):
        size = 108 if shape else 1
        tensor = helper.make_tensor(name, TensorProto.UINT8, shape, bytes(size), raw=True)
        model.graph.initializer.append(tensor)
    onnx.save(model, str(path))
    (layer,) = load_onnx(str(path))
    assert sizes(layer, "R", "S", "P", "Q", "C", "K") == (3, 3, 6, 6, 3, 4)


def test_symbols_have_values(loaded: Any) -> None:
    (layer,) = loaded(models.SYMBOLS, symbols={"batch": 3, "sequence": 128})
    assert sizes(layer, "G", "P", "C", "K") == (3, 128, 16, 128)


def test_an_operator_may_be_left_out_by_name(loaded: Any) -> None:
    found = loaded(models.CUSTOM, models.SQUARE, skip=["mine.Mystery"])
    assert found.coverage.unknown == ("mine.Mystery",)


def test_operators_of_which_nothing_is_known_are_said_to_be(loaded: Any) -> None:
    assert loaded(models.DET, models.SQUARE).coverage.unknown == ("Det",)


REFUSED: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    (models.CUSTOM, {}, ("operator mine.Mystery", "workload.skip=[mine.Mystery]")),
    (models.CHOICE, {}, ("operator If", "control flow")),
    (models.SYMBOLS, {}, ("dim 0 of input x is the symbol batch", "workload.symbols.batch=NUMBER")),
    (models.SYMBOLS, {"symbols": {"batch": 1}}, ("workload.symbols.sequence=NUMBER",)),
    (
        models.SYMBOLS,
        {"symbols": {"batch": 1, "seq": 8}},
        ("workload.symbols.seq", "no such symbol", "batch, sequence"),
    ),
    (models.SYMBOLS, {"symbols": {"batch": -1}}, ("workload.symbols.batch: -1",)),
    (models.UNSIZED, {}, ("dim 0 of input x has no size",)),
    (models.MISFIT, {}, ("do not fit together", "MatMul")),
    (models.NONE_SUCH, {}, ("Convolute",)),
    (models.VALUES, {}, ("operator MatMul at y", "shape of r is not known", "constants")),
    (models.PLAIN, {}, ("no convolution", "Relu")),
    (models.PLAIN, {"stationary": "x"}, ("workload.stationary", "second, first")),
]


@pytest.mark.parametrize(("text", "settings", "words"), REFUSED)
def test_a_broken_model_is_refused_by_name(
    text: str, settings: dict[str, Any], words: tuple[str, ...], loaded: Any
) -> None:
    message = refusal(lambda: loaded(text, models.SQUARE, **settings))
    missing = [word for word in words if word not in message]
    assert not missing, f"{missing} not in: {message}"


@pytest.mark.parametrize("content", [b"", b"\x00" * 40, b"no model at all", None])
def test_a_corrupt_file_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = models.write(tmp_path / "net.onnx", models.TOWER, models.TOWER_WEIGHTS)
    path.write_bytes(path.read_bytes()[:-300] if content is None else content)
    assert f"{path}: cannot be read as an ONNX model" in refusal(lambda: load_onnx(str(path)))
    missing = str(tmp_path / "none.onnx")
    assert f"{missing}: no such file" in refusal(lambda: load_onnx(missing))


def test_a_command_searches_a_file(script: Script, directory: Path) -> None:
    models.write(directory / "net.onnx", models.TOWER, models.TOWER_WEIGHTS)
    place = ("dir=run", "hydra.run.dir=.")
    ended = script("search", "workload=net.onnx", "workload.symbols.batch=2", *SMALL, *place)
    assert ended.code == 0, ended.err
    result = read_result(directory / "run")
    assert result.workload == "net"
    assert result.coverage is not None
    assert "BatchNormalization" in ended.out
    before = config_parts({"workload": {"model": "net.onnx"}})
    models.write(directory / "net.onnx", models.SYMBOLS)
    assert config_parts({"workload": {"model": "net.onnx"}}) != before
    refused = script("search", "workload=net.onnx", "hydra.run.dir=.")
    assert refused.code == 2
    assert "workload.symbols.batch=NUMBER" in refused.err

"""Networks read from PyTorch, their MACs beside those of an independent counter: one line each.

Needs ``pip install 'tilegrad[models]'``. No weight is loaded or computed with: modules are made on
the meta device, where ``torch.utils.flop_counter`` counts too; half its figure is MACs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from tilegrad.networks.exported.load import load_exported
from tilegrad.networks.exported.module import make_inputs, make_module
from tilegrad.networks.onnx_files.load import load_onnx
from tilegrad.workload import Workload

IMAGE = [1, 3, 224, 224]
TOKENS = {"input_ids": {"shape": [1, 128], "type": "int64"}}


@dataclass(frozen=True)
class Network:
    """A model by import path, what it is made of, and the shapes of its inputs."""

    model: str
    input: Any = field(default_factory=lambda: IMAGE)
    arguments: Callable[[], dict[str, Any]] = dict
    label: str = ""

    @property
    def name(self) -> str:
        """What the line says."""
        return self.label or self.model.rpartition(".")[2]


def _config(name: str, **fields: Any) -> dict[str, Any]:
    return {"config": getattr(import_module("transformers"), name)(**fields)}


def _transformer(model: str, config: str, inputs: Any, **fields: Any) -> Network:
    return Network(f"transformers.{model}", inputs, partial(_config, config, **fields))


def _timm(name: str) -> Network:
    return Network("timm.create_model", IMAGE, lambda: {"model_name": name}, name)


_SEQUENCES = {**TOKENS, "decoder_input_ids": {"shape": [1, 32], "type": "int64"}}
_SPEECH = {"input_features": [1, 80, 3000], "decoder_input_ids": _SEQUENCES["decoder_input_ids"]}
_LATENTS = {
    "sample": [1, 4, 64, 64],
    "timestep": {"shape": [1], "type": "int64"},
    "encoder_hidden_states": [1, 77, 768],
}

_VISION = """
    resnet18 resnet50 resnext50_32x4d mobilenet_v2 efficientnet_b0 convnext_tiny vit_b_16 swin_t
    densenet121 shufflenet_v2_x1_0"""

NETWORKS = (
    *(Network(f"torchvision.models.{name}") for name in _VISION.split()),
    Network(
        "torchvision.models.segmentation.deeplabv3_resnet50",
        arguments=lambda: {"weights_backbone": None},
    ),
    Network("torchvision.models.video.r3d_18", [1, 3, 16, 112, 112]),
    *map(_timm, ("deit_small_patch16_224", "mixer_b16_224", "regnety_016", "coatnet_0_rw_224")),
    _transformer("BertModel", "BertConfig", TOKENS),
    _transformer("GPT2LMHeadModel", "GPT2Config", TOKENS, use_cache=False),
    _transformer("LlamaForCausalLM", "LlamaConfig", TOKENS, num_key_value_heads=8, use_cache=False),
    _transformer("Qwen3ForCausalLM", "Qwen3Config", TOKENS, use_cache=False),
    _transformer("T5ForConditionalGeneration", "T5Config", _SEQUENCES, use_cache=False),
    _transformer("WhisperForConditionalGeneration", "WhisperConfig", _SPEECH, use_cache=False),
    Network("diffusers.UNet2DConditionModel", _LATENTS, lambda: {"cross_attention_dim": 768}),
)


def counted(network: Network) -> int:
    """Return the multiply-accumulates that PyTorch's own counter finds.

    Of fake tensors, or of tensors on the meta device where a model cannot be made of those.
    """
    try:
        with FakeTensorMode():
            return _counted(network)
    except Exception:
        return _counted(network)


def _counted(network: Network) -> int:
    arguments = network.arguments()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module = make_module(network.model, arguments).eval()
        inputs, named = make_inputs(network.input, next(module.parameters()).device)
        module(*inputs, **named)
    return counter.get_total_flops() // 2


def through_onnx(network: Network, directory: Path) -> Workload:
    """Return the layers of a network that PyTorch wrote as an ONNX file, with any weights."""
    module = make_module(network.model, network.arguments()).eval().to_empty(device="cpu")
    inputs, named = make_inputs(network.input, torch.device("cpu"))
    path = str(directory / "network.onnx")
    torch.onnx.export(module, inputs, path, kwargs=named, dynamo=True, verbose=False)
    return load_onnx(path, network.name)


def line(network: Network, onnx: bool) -> str:
    """Return what a network comes to."""
    start = perf_counter()
    if onnx:
        with TemporaryDirectory() as directory:
            workload = through_onnx(network, Path(directory))
    else:
        arguments = network.arguments()
        workload = load_exported(network.model, network.input, arguments, name=network.name)
    seconds = perf_counter() - start
    coverage = workload.coverage
    assert coverage is not None
    layers, other = sum(layer.count for layer in workload), counted(network)
    unknown = ", ".join(coverage.unknown) or "none"
    return (
        f"{network.name:32} {layers:5} {len(workload):4} {coverage.macs:16,} {other:16,} "
        f"{coverage.macs / other - 1:+8.3%} {coverage.share:7.1%} {unknown:12} {seconds:6.1f}"
    )


def main() -> None:
    """Print a line for each network, or for those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="networks; all where none is named")
    parser.add_argument("--onnx", action="store_true", help="through a file (needs onnxscript)")
    given = parser.parse_args()
    named = given.names
    print(
        f"{'network':32} {'layers':>5} {'kinds':>4} {'MACs':>16} {'counter':>16} {'apart':>8} "
        f"{'mapped':>7} {'unknown':12} {'s':>6}"
    )
    for network in NETWORKS:
        if not named or network.name in named:
            print(line(network, given.onnx), flush=True)


if __name__ == "__main__":
    main()

"""The layers of public models, exported from their own classes.

``python -m tests.networks.public`` writes ``tests/data/networks/public_layers.json``; it needs
torchvision, transformers and diffusers. Language models are cut to two blocks; all are as wide as
the published ones.
"""

from __future__ import annotations

import json
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

from tilegrad.networks.exported.load import load_exported
from tilegrad.workload import Workload

FILE = Path(__file__).parents[1] / "data/networks/public_layers.json"

TOKENS = {"shape": [2, 24], "type": "int64"}
IMAGES = [2, 3, 224, 224]
USE = {"context": 24, "batch": 2}
CUT = {**USE, "model.layers": 2, "model.logits": "all"}

LLAMA = {"num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 2}

OURS: dict[str, dict[str, Any]] = {
    **{name: CUT for name in ("llama3_8b", "llama3_70b", "qwen3_8b", "gpt2")},
    "whisper_small": {**USE, "model.encoder_layers": 2, "model.decoder_layers": 2},
    "mobilenet_v2": {"batch": 2},
    "efficientnet_b0": {"batch": 2},
    "convnext_tiny": {"batch": 2},
    "vit_b16": {"batch": 2},
    "stable_diffusion_unet": {"batch": 2},
}
"""Settings of ours that make the same cut."""

MODELS: dict[str, tuple[str, Any, str, dict[str, Any]]] = {
    "llama3_8b": (
        "transformers.LlamaForCausalLM",
        {"input_ids": TOKENS},
        "LlamaConfig",
        {"hidden_size": 4096, "intermediate_size": 14336, "vocab_size": 128256, **LLAMA},
    ),
    "llama3_70b": (
        "transformers.LlamaForCausalLM",
        {"input_ids": TOKENS},
        "LlamaConfig",
        {
            "hidden_size": 8192,
            "intermediate_size": 28672,
            "vocab_size": 128256,
            **LLAMA,
            "num_attention_heads": 64,
        },
    ),
    "qwen3_8b": (
        "transformers.Qwen3ForCausalLM",
        {"input_ids": TOKENS},
        "Qwen3Config",
        {"hidden_size": 4096, "intermediate_size": 12288, "head_dim": 128, **LLAMA},
    ),
    "gpt2": ("transformers.GPT2LMHeadModel", {"input_ids": TOKENS}, "GPT2Config", {"n_layer": 2}),
    "whisper_small": (
        "transformers.WhisperForConditionalGeneration",
        {"input_features": [2, 80, 3000], "decoder_input_ids": TOKENS},
        "WhisperConfig",
        {
            "d_model": 768,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 12,
            "decoder_attention_heads": 12,
            "encoder_ffn_dim": 3072,
            "decoder_ffn_dim": 3072,
        },
    ),
    "mobilenet_v2": ("torchvision.models.mobilenet_v2", IMAGES, "", {}),
    "efficientnet_b0": ("torchvision.models.efficientnet_b0", IMAGES, "", {}),
    "convnext_tiny": ("torchvision.models.convnext_tiny", IMAGES, "", {}),
    "vit_b16": ("torchvision.models.vit_b_16", IMAGES, "", {}),
    "stable_diffusion_unet": (
        "diffusers.UNet2DConditionModel",
        {
            "sample": [2, 4, 64, 64],
            "timestep": {"shape": [1], "type": "int64"},
            "encoder_hidden_states": [2, 77, 768],
        },
        "",
        {"cross_attention_dim": 768},
    ),
}
"""Import path, inputs, the class of the configuration, and its fields or the model's own."""


def listed(workload: Workload) -> list[list[Any]]:
    """Return every kind of layer with its count, in an order of its own."""
    found: Counter[tuple[str, tuple[tuple[str, int], ...]]] = Counter()
    for layer in workload:
        found[layer.shape.name, tuple(layer.as_dict().items())] += layer.count
    return [[shape, dict(sizes), count] for (shape, sizes), count in sorted(found.items())]


def public(name: str) -> list[list[Any]]:
    """Return the layers of a public model, exported."""
    model, inputs, config, fields = MODELS[name]
    arguments = fields
    if config:
        made = getattr(import_module("transformers"), config)(**fields, use_cache=False)
        arguments = {"config": made}
    return listed(load_exported(model, inputs, arguments))


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    rows = [f"  {json.dumps(name)}: [\n    " for name in MODELS]
    texts = [",\n    ".join(map(json.dumps, public(name))) for name in MODELS]
    body = ",\n".join(f"{row}{text}\n  ]" for row, text in zip(rows, texts, strict=True))
    FILE.write_text(f"{{\n{body}\n}}\n")

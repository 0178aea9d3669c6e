"""Networks by their parameters, against public models' own layers, sizes and counters."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hydra.errors import InstantiationException
from hydra.utils import instantiate

from tests.networks.helpers import by_name, macs, sizes
from tests.networks.public import FILE, MODELS, OURS, listed, public
from tilegrad.complaints import describe
from tilegrad.composing import composed
from tilegrad.workload import Workload

PUBLIC = json.loads(FILE.read_text())

PARAMETERS = {
    # Of the published checkpoints, without what ``rest`` tells: norms, biases, embeddings.
    "llama3_8b": 8_030_261_248 - (128256 * 4096 + 65 * 4096),
    "llama3_70b": 70_553_706_496 - (128256 * 8192 + 161 * 8192),
    "qwen3_8b": 8_190_735_360 - (151936 * 4096 + 73 * 4096 + 36 * 2 * 128),
    "mixtral_8x7b": 46_702_792_704 - (32000 * 4096 + 65 * 4096),
    # Its head is its embedding.
    "gpt2": 124_439_808 - (1024 * 768 + 25 * 2 * 768 + 12 * (2304 + 768 + 3072 + 768)),
}
"""Words of weight matrices."""


def stated(name: str, **settings: Any) -> Workload:
    """Return a packaged network with settings of its own."""
    fields = {f"workload.{field}": value for field, value in settings.items()}
    found = instantiate(composed("search", {"workload": name, **fields}, []).workload)
    assert isinstance(found, Workload)
    return found


@pytest.mark.parametrize("name", MODELS)
def test_layers_are_those_of_the_public_model(name: str) -> None:
    assert listed(stated(name, **OURS[name])) == [*PUBLIC[name]]


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_the_recorded_layers_are_those_of_the_public_classes(name: str) -> None:
    pytest.importorskip(MODELS[name][0].partition(".")[0])
    assert public(name) == PUBLIC[name]


@pytest.mark.parametrize("name", PARAMETERS)
def test_weights_are_as_many_as_the_published_models(name: str) -> None:
    workload = stated(name)
    weights = sum(
        layer.count * layer.tensor_sizes()["Weights"]
        for layer in workload
        if layer.shape.name != "batched_matmul"
    )
    assert weights == PARAMETERS[name]


@pytest.mark.parametrize("name", ["llama3_8b", "mixtral_8x7b", "gpt2"])
def test_a_token_is_decoded_from_a_cache(name: str) -> None:
    found = by_name(stated(name, phase="decode", context=4096, batch=8))
    heads, width = (12, 64) if name == "gpt2" else (8, 128)
    shared = 1 if name == "gpt2" else 4
    layers = 12 if name == "gpt2" else 32
    scores, values = found["attention.scores"], found["attention.values"]
    assert sizes(scores, "G", "P", "C", "K") == (8 * heads, shared, width, 4096)
    assert sizes(values, "G", "P", "C", "K") == (8 * heads, shared, 4096, width)
    assert scores.count == values.count == layers
    # The cache is read once a step, and once only: it is the Weights of both products.
    cache = 8 * heads * width * 4096
    assert scores.tensor_sizes()["Weights"] == values.tensor_sizes()["Weights"] == cache
    coverage = stated(name, phase="decode", context=4096, batch=8).coverage
    assert coverage is not None
    assert f"{2 * layers * cache:,} words of keys and values" in coverage.notes[0]


def test_prefill_then_decode_reaches_what_prefill_of_one_more_does() -> None:
    def attended(phase: str, context: int) -> int:
        found = by_name(stated("llama3_8b", phase=phase, context=context))
        return sum(found[f"attention.{part}"].macs for part in ("scores", "values"))

    # A step attends to all tokens so far; a prefill does so for every one of them.
    assert 128 * attended("decode", 128) == attended("prefill", 128)


@pytest.mark.parametrize(
    ("tokens", "routing", "loads"),
    [
        (128, "balanced", {32: 8}),
        (10, "balanced", {3: 4, 2: 4}),
        (1, "balanced", {1: 2}),
        (128, "skewed", {128: 2}),
    ],
)
def test_tokens_are_routed_to_experts(tokens: int, routing: str, loads: dict[int, int]) -> None:
    settings = {"context": tokens, "model.experts.routing": routing}
    found = by_name(stated("mixtral_8x7b", **settings))
    names = {name for name in found if name.startswith("experts.") and name.endswith(".up")}
    assert names == {f"experts.{load}_tokens.up" for load in loads}
    for load, experts in loads.items():
        layer = found[f"experts.{load}_tokens.down"]
        assert (layer.as_dict()["P"], layer.count) == (load, 32 * experts)
    assert sum(load * experts for load, experts in loads.items()) == 2 * tokens


def test_whisper_decodes_without_its_encoder() -> None:
    found = by_name(stated("whisper_small", phase="decode", context=10))
    assert not [name for name in found if name.startswith("encoder")]
    assert "decoder.cross_attention.k" not in found
    scores = found["decoder.cross_attention.scores"]
    assert sizes(scores, "G", "P", "C", "K") == (12, 1, 64, 1500)


def test_images_of_another_size_and_batch() -> None:
    small, large = stated("mobilenet_v2", image=112), stated("mobilenet_v2", image=224, batch=3)
    head = [next(layer for layer in each if layer.name == "head") for each in (small, large)]
    assert [layer.bounds[2] for layer in head] == [4, 7]
    assert head[1].as_dict()["N"] == 3
    assert macs(large) > 3 * 3 * macs(small)


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("llama3_8b", {"phase": "decoding"}, ("workload.phase", "'decoding'", "nearest: decode")),
        ("llama3_8b", {"context": 0}, ("workload.context: 0", "integer from 1")),
        ("llama3_8b", {"batch": 1.5}, ("workload.batch: 1.5",)),
        ("llama3_8b", {"model.layers": "many"}, ("workload.model.layers: 'many'",)),
        (
            "llama3_8b",
            {"model.kv_heads": 7},
            ("workload.model.kv_heads: 7 does not divide workload.model.heads = 32", "does: 8"),
        ),
        ("llama3_8b", {"model.logits": "first"}, ("workload.model.logits", "last, all")),
        ("llama3_8b", {"stationary": "none"}, ("workload.stationary", "second, first")),
        ("mixtral_8x7b", {"model.experts.active": 9}, ("experts.active: 9 of 8", "1 to 8")),
        ("mixtral_8x7b", {"model.experts.routing": "fair"}, ("experts.routing", "balanced")),
        ("vit_b16", {"model.heads": 7}, ("workload.model.heads: 7 does not divide", "does: 6")),
        ("vit_b16", {"image": -1}, ("workload.image: -1",)),
        ("mobilenet_v2", {"model.stages": [{"blocks": 1}]}, ("stages[0]: field channels",)),
        (
            "mobilenet_v2",
            {"model.stages": [{"blocks": 1, "channels": 8, "strid": 2}]},
            ("stages[0]", "'strid'", "nearest: stride"),
        ),
        ("convnext_tiny", {"model.patch": 0}, ("workload.model.patch: 0",)),
        ("whisper_small", {"model.heads": 5}, ("workload.model.heads: 5",)),
        ("stable_diffusion_unet", {"model.channels": [320, 0]}, ("channels[1]: 0",)),
        ("stable_diffusion_unet", {"model.heads": 7}, ("workload.model.heads: 7",)),
    ],
)
def test_settings_that_are_not_legal_are_named(
    name: str, settings: dict[str, Any], words: tuple[str, ...]
) -> None:
    with pytest.raises(InstantiationException) as caught:
        stated(name, **settings)
    message = describe(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message

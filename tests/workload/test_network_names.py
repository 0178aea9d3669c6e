"""The packaged layers' names are the networks' own: each has the shape that its name says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tilegrad.workload import Problem, load_workload

Shape = tuple[int, int, int, int, int]
"""Output channels, input channels of a group, filter, stride, output size."""

BLOCKS = (3, 4, 6, 3)
NETWORKS = {"resnet50": (64, 1), "resnext50_32x4d": (128, 32)}
"""Width of the first stage, and groups of the 3 x 3 convolutions, as the papers have them."""


def bottlenecks(width: int, groups: int) -> Iterator[tuple[str, Shape]]:
    """Yield every convolution of a 50-layer residual network by its usual name."""
    yield "conv1", (64, 3, 7, 2, 112)
    channels = 64
    for stage, blocks in enumerate(BLOCKS):
        inner, outer, size = width << stage, 256 << stage, 56 >> stage
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            name = f"layer{stage + 1}.{block}"
            yield f"{name}.conv1", (inner, channels, 1, 1, size * stride)
            yield f"{name}.conv2", (inner, inner // groups, 3, stride, size)
            yield f"{name}.conv3", (outer, inner, 1, 1, size)
            if not block:
                yield f"{name}.downsample", (outer, channels, 1, stride, size)
            channels = outer
    yield "fc", (1000, 2048, 1, 1, 1)


def expanded(name: str) -> list[str]:
    """Return the layers that a name such as ``layer1.0-2.conv3+downsample`` stands for."""
    found = re.fullmatch(r"(layer\d)\.(\d)(?:-(\d))?\.(\w+)(\+downsample)?", name)
    if found is None:
        return [name]
    stage, first, last, kind, more = found.groups()
    blocks = range(int(first), int(last or first) + 1)
    names = [f"{stage}.{block}.{kind}" for block in blocks]
    return [*names, f"{stage}.0.downsample"] if more else names


def shape(problem: Problem) -> Shape:
    r, s, p, q, c, k, n = problem.bounds
    assert (r, p, n) == (s, q, 1)
    assert problem.strides[0] == problem.strides[1]
    return k, c, r, problem.strides[0], p


@pytest.mark.parametrize("network", NETWORKS)
def test_residual_layers_have_the_shapes_of_their_names(network: str) -> None:
    known = dict(bottlenecks(*NETWORKS[network]))
    for layer in load_workload(network):
        assert {known[name] for name in expanded(layer.name)} == {shape(layer)}, layer.name


def test_resnet50_counts_every_layer_once() -> None:
    layers = load_workload("resnet50").layers
    named = [name for layer in layers for name in expanded(layer.name)]
    assert sorted(named) == sorted(name for name, _ in bottlenecks(64, 1))
    assert [layer.count for layer in layers] == [len(expanded(layer.name)) for layer in layers]


SEQUENTIAL: dict[str, dict[str, Shape]] = {
    "alexnet": {
        "features.0": (64, 3, 11, 4, 55),
        "features.3": (192, 64, 5, 1, 27),
        "features.6": (384, 192, 3, 1, 13),
        "features.8": (256, 384, 3, 1, 13),
        "features.10": (256, 256, 3, 1, 13),
        "classifier.1": (4096, 256 * 6 * 6, 1, 1, 1),
        "classifier.4": (4096, 4096, 1, 1, 1),
        "classifier.6": (1000, 4096, 1, 1, 1),
    }
}


def vgg16() -> Iterator[tuple[str, Shape]]:
    """Yield VGG-16's convolutions, each followed by its ReLU, and its fully connected layers."""
    channels, place, size = 3, 0, 224
    for outer, repeats in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(repeats):
            yield f"features.{place}", (outer, channels, 3, 1, size)
            channels, place = outer, place + 2
        place, size = place + 1, size // 2
    for name, (outer, inner) in zip(
        (0, 3, 6), ((4096, 512 * 7 * 7), (4096, 4096), (1000, 4096)), strict=True
    ):
        yield f"classifier.{name}", (outer, inner, 1, 1, 1)


@pytest.mark.parametrize("network", ["alexnet", "vgg16"])
def test_sequential_layers_have_the_shapes_of_their_names(network: str) -> None:
    known = SEQUENTIAL.get(network) or dict(vgg16())
    for layer in load_workload(network):
        assert known[layer.name] == shape(layer), layer.name


def test_no_packaged_name_is_a_tracers_number() -> None:
    for network in (*NETWORKS, "alexnet", "vgg16", "bert"):
        assert not [la.name for la in load_workload(network) if re.search("output|mm_", la.name)]

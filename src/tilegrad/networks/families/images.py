"""Image networks by their stages: MobileNetV2, EfficientNet, ConvNeXt, vision transformers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tilegrad.errors import WorkloadError, unknown
from tilegrad.networks.families.parts import Parts, check_divides, check_sizes
from tilegrad.networks.operators.convolution import Window
from tilegrad.networks.reasons import ELEMENTWISE, NORM, POOL

MODEL = "workload.model"


@dataclass(frozen=True)
class Stage:
    """Equal blocks one after another, of which the first may have a stride."""

    channels: int
    blocks: int
    stride: int = 1
    kernel: int = 3
    expand: int = 1

    def strides(self) -> Iterator[int]:
        """Yield each block's stride."""
        yield from (self.stride, *[1] * (self.blocks - 1))


def read_stages(stated: Sequence[Mapping[str, Any]]) -> list[Stage]:
    """Return stages from plain fields; ``WorkloadError`` names one that is not legal."""
    found = []
    for at, fields in enumerate(stated):
        place, legal = f"{MODEL}.stages[{at}]", tuple(Stage.__dataclass_fields__)
        for name in fields:
            if name not in legal:
                raise WorkloadError(unknown("field", str(name), legal, place))
        for name in ("channels", "blocks"):
            if name not in fields:
                raise WorkloadError(f"{place}: field {name} is missing")
        check_sizes(place, **fields)
        found.append(Stage(**fields))
    return found


@dataclass(frozen=True)
class InvertedBottlenecks:
    """MobileNetV2 and EfficientNet: expand, depthwise, squeeze-and-excitation or not, project.

    ``squeeze``: by how much a block's input channels are divided for its excitation; None: none.
    """

    stem: int
    stages: Sequence[Mapping[str, Any]]
    head: int
    classes: int
    squeeze: int | None = None

    def build(self, image: int, batch: int, parts: Parts) -> None:
        """Add all layers to the parts."""
        check_sizes(MODEL, stem=self.stem, head=self.head, classes=self.classes)
        side, before = _halved(image, 2), self.stem
        _square(parts, "stem", (3, self.stem), side, batch, kernel=3, stride=2)
        for at, stage in enumerate(read_stages(self.stages)):
            for number, stride in enumerate(stage.strides()):
                name, channels = f"stages.{at}.{number}", (before, stage.channels)
                self._block(parts, name, channels, stage, (side, stride, batch))
                side, before = _halved(side, stride), stage.channels
        _square(parts, "head", (before, self.head), side, batch)
        parts.linear("classifier", batch, (self.head, self.classes))
        parts.leave_out("pool", POOL, 1, batch * self.head)

    def _block(
        self,
        parts: Parts,
        name: str,
        channels: tuple[int, int],
        stage: Stage,
        place: tuple[int, int, int],
    ) -> None:
        side, stride, batch = place
        before, after = channels
        inner, reached = before * stage.expand, _halved(side, stride)
        if stage.expand > 1:
            _square(parts, f"{name}.expand", (before, inner), side, batch)
        _square(
            parts, f"{name}.depthwise", (inner, inner), reached, batch, stage.kernel, stride, inner
        )
        if self.squeeze is not None:
            narrow = max(1, before // self.squeeze)
            _square(parts, f"{name}.squeeze", (inner, narrow), 1, batch)
            _square(parts, f"{name}.excite", (narrow, inner), 1, batch)
        _square(parts, f"{name}.project", (inner, after), reached, batch)
        if stride == 1 and before == after:
            parts.leave_out("add", ELEMENTWISE, 1, batch * after * reached**2)


@dataclass(frozen=True)
class ConvNeXt:
    """Patches, then blocks of a large depthwise convolution and two products."""

    patch: int
    stages: Sequence[Mapping[str, Any]]
    classes: int

    def build(self, image: int, batch: int, parts: Parts) -> None:
        """Add all layers to the parts; a stage's ``expand`` is that of its products."""
        check_sizes(MODEL, patch=self.patch, classes=self.classes)
        side, before = image // self.patch, 3
        for at, stage in enumerate(read_stages(self.stages)):
            step = stage.stride if at else self.patch
            side = side // stage.stride if at else side
            width, inner, name = stage.channels, stage.channels * stage.expand, f"stages.{at}"
            channels = (before, width)
            _square(parts, f"{name}.downsample", channels, side, batch, step, step)
            windows = [Window(side, stage.kernel)] * 2
            depthwise, times = f"{name}.depthwise", stage.blocks
            parts.convolution(depthwise, (width, width), windows, batch, width, times)
            rows = batch * side**2
            parts.linear(f"{name}.up", rows, (width, inner), times)
            parts.linear(f"{name}.down", rows, (inner, width), times)
            parts.leave_out("norm", NORM, times, rows * width)
            parts.leave_out("activation", ELEMENTWISE, times, rows * inner)
            parts.leave_out("add", ELEMENTWISE, times, rows * width)
            before = width
        parts.linear("classifier", batch, (before, self.classes))


@dataclass(frozen=True)
class VisionTransformer:
    """Patches as tokens, and one more; queries, keys and values by one matrix."""

    patch: int
    layers: int
    width: int
    heads: int
    feed_forward: int
    classes: int

    def build(self, image: int, batch: int, parts: Parts) -> None:
        """Add all layers to the parts."""
        check_sizes(MODEL, **{name: getattr(self, name) for name in self.__dataclass_fields__})
        check_divides(MODEL, ("width", self.width), ("heads", self.heads))
        side, width, times = image // self.patch, self.width, self.layers
        _square(parts, "patches", (3, width), side, batch, self.patch, self.patch)
        length = side**2 + 1
        rows, each = batch * length, (batch, self.heads, length, width // self.heads)
        parts.linear("attention.qkv", rows, (width, 3 * width), times)
        parts.attention("attention", each, each, times)
        parts.linear("attention.o", rows, (width, width), times)
        parts.linear("feed_forward.up", rows, (width, self.feed_forward), times)
        parts.linear("feed_forward.down", rows, (self.feed_forward, width), times)
        parts.leave_out("norm", NORM, 2 * times + 1, rows * width)
        parts.leave_out("activation", ELEMENTWISE, times, rows * self.feed_forward)
        parts.leave_out("add", ELEMENTWISE, 2 * times, rows * width)
        parts.linear("classifier", batch, (width, self.classes))


def _halved(side: int, stride: int) -> int:
    """Return the outputs of an axis that is padded by half its filter."""
    return -(-side // stride)


def _square(
    parts: Parts,
    name: str,
    channels: tuple[int, int],
    side: int,
    batch: int,
    kernel: int = 1,
    stride: int = 1,
    groups: int = 1,
) -> None:
    """Add a convolution of square filters over square outputs."""
    windows = [Window(side, kernel, stride)] * 2
    parts.convolution(name, channels, windows, batch, groups)

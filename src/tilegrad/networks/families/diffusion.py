"""The denoising network of latent diffusion: a U of residual blocks with transformers in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tilegrad.networks.families.parts import Parts, check_divides, check_sizes
from tilegrad.networks.operators.convolution import Window
from tilegrad.networks.reasons import ELEMENTWISE, NORM, POOL

MODEL = "workload.model"


@dataclass(frozen=True)
class DiffusionUNet:
    """One step of denoising; ``image`` is the latents' side, ``text`` the tokens attended to.

    ``channels``: of each resolution, the finest first, with ``blocks`` on the way down and one more
    on the way up; all but the coarsest have transformers.
    """

    latent: int
    channels: Sequence[int]
    blocks: int
    heads: int
    text: int
    text_width: int

    def build(self, image: int, batch: int, parts: Parts) -> None:
        """Add all layers to the parts."""
        sizes = ("latent", "blocks", "heads", "text", "text_width")
        check_sizes(MODEL, **{name: getattr(self, name) for name in sizes})
        check_sizes(MODEL, **{f"channels[{at}]": each for at, each in enumerate(self.channels)})
        for each in self.channels:
            check_divides(MODEL, ("channels", each), ("heads", self.heads))
        walk = _Walk(self, batch, parts, image)
        first = self.channels[0]
        parts.linear("time.up", batch, (first, walk.embedded))
        parts.linear("time.down", batch, (walk.embedded, walk.embedded))
        walk.convolve("conv_in", (self.latent, first))
        skips = walk.down(first)
        coarsest = self.channels[-1]
        walk.residual("mid.0", coarsest, coarsest)
        walk.transformer("mid.attention", coarsest)
        walk.residual("mid.1", coarsest, coarsest)
        walk.up(skips)
        walk.convolve("conv_out", (first, self.latent))


@dataclass
class _Walk:
    """Adds blocks at the resolution reached: ``side``."""

    network: DiffusionUNet
    batch: int
    parts: Parts
    side: int

    @property
    def embedded(self) -> int:
        """The width of the time's embedding."""
        return 4 * self.network.channels[0]

    def down(self, before: int) -> list[int]:
        """Add the way down; return the channels that the way up takes in, the last ones first."""
        skips, last = [before], len(self.network.channels) - 1
        for at, width in enumerate(self.network.channels):
            for number in range(self.network.blocks):
                self.residual(f"down.{at}.{number}", before, width)
                if at < last:
                    self.transformer(f"down.{at}.{number}.attention", width)
                before = width
                skips.append(width)
            if at < last:
                self.side = -(-self.side // 2)
                self.convolve(f"down.{at}.downsample", (width, width), stride=2)
                skips.append(width)
        return skips

    def up(self, skips: list[int]) -> None:
        """Add the way up, which takes in what the way down left."""
        last, before = len(self.network.channels) - 1, self.network.channels[-1]
        for at, width in enumerate(reversed(self.network.channels)):
            for number in range(self.network.blocks + 1):
                self.residual(f"up.{at}.{number}", before + skips.pop(), width)
                if at > 0:
                    self.transformer(f"up.{at}.{number}.attention", width)
                before = width
            if at < last:
                self.side *= 2
                self.parts.leave_out("upsample", POOL, 1, self.batch * width * self.side**2)
                self.convolve(f"up.{at}.upsample", (width, width))

    def convolve(
        self, name: str, channels: tuple[int, int], kernel: int = 3, stride: int = 1
    ) -> None:
        """Add a convolution that reaches the present side."""
        windows = [Window(self.side, kernel, stride)] * 2
        self.parts.convolution(name, channels, windows, self.batch)

    def residual(self, name: str, before: int, width: int) -> None:
        """Add a residual block, told the time."""
        self.convolve(f"{name}.conv1", (before, width))
        self.parts.linear(f"{name}.time", self.batch, (self.embedded, width))
        self.convolve(f"{name}.conv2", (width, width))
        if before != width:
            self.convolve(f"{name}.shortcut", (before, width), kernel=1)
        elements = self.batch * width * self.side**2
        self.parts.leave_out("norm", NORM, 2, elements)
        self.parts.leave_out("activation", ELEMENTWISE, 2, elements)
        self.parts.leave_out("add", ELEMENTWISE, 2, elements)

    def transformer(self, name: str, width: int) -> None:
        """Add a transformer over the pixels, which attends to them and to the text."""
        parts, text, length = self.parts, self.network.text, self.side**2
        rows, each = self.batch * length, width // self.network.heads
        own = (self.batch, self.network.heads, length, each)
        told = (self.batch, self.network.heads, text, each)
        self.convolve(f"{name}.in", (width, width), kernel=1)
        for kind, keys, inputs in (("self", own, (rows, width)), ("text", told, self._text)):
            parts.linear(f"{name}.{kind}.q", rows, (width, width))
            parts.linear(f"{name}.{kind}.k", inputs[0], (inputs[1], width))
            parts.linear(f"{name}.{kind}.v", inputs[0], (inputs[1], width))
            parts.attention(f"{name}.{kind}", own, keys)
            parts.linear(f"{name}.{kind}.o", rows, (width, width))
        parts.linear(f"{name}.feed_forward.up", rows, (width, 8 * width))
        parts.linear(f"{name}.feed_forward.down", rows, (4 * width, width))
        self.convolve(f"{name}.out", (width, width), kernel=1)
        parts.leave_out("norm", NORM, 4, rows * width)
        parts.leave_out("activation", ELEMENTWISE, 1, rows * 4 * width)
        parts.leave_out("add", ELEMENTWISE, 4, rows * width)

    @property
    def _text(self) -> tuple[int, int]:
        """Rows and width of the text."""
        return self.batch * self.network.text, self.network.text_width

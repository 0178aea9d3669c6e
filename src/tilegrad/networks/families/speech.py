"""Encoder-decoder speech models: Whisper."""

from __future__ import annotations

from dataclasses import dataclass

from tilegrad.networks.families.parts import DECODE, PREFILL, Parts, Use, check_divides, check_sizes
from tilegrad.networks.operators.convolution import Window
from tilegrad.networks.reasons import ELEMENTWISE, LOOKUP, NORM

MODEL = "workload.model"


@dataclass(frozen=True)
class SpeechModel:
    """An encoder of ``frames`` and a decoder of text that attends to it.

    ``prefill`` is the encoder and the decoder on the context's tokens; ``decode`` one token of the
    decoder, whose cache holds the other tokens' and the encoder's keys and values.
    """

    mel: int
    frames: int
    encoder_layers: int
    decoder_layers: int
    width: int
    heads: int
    feed_forward: int
    vocabulary: int

    def __post_init__(self) -> None:
        check_sizes(MODEL, **{name: getattr(self, name) for name in self.__dataclass_fields__})
        check_divides(MODEL, ("width", self.width), ("heads", self.heads))

    def build(self, use: Use, parts: Parts) -> None:
        """Add all layers to the parts."""
        heard = -(-self.frames // 2)
        if use.phase == PREFILL:
            self._encode(heard, use.batch, parts)
        parts.leave_out("embedding", LOOKUP, 1, use.tokens * self.width)
        own = (use.length, use.context)
        self._block("decoder.self_attention", use.batch, own, use.length, parts)
        fresh = heard if use.phase == PREFILL else 0
        self._block("decoder.cross_attention", use.batch, (use.length, heard), fresh, parts)
        self._feed_forward("decoder", use.tokens, self.decoder_layers, parts)
        parts.linear("lm_head", use.tokens, (self.width, self.vocabulary))
        if use.phase == DECODE:
            words = 2 * self.decoder_layers * use.batch * self.width
            parts.notes.append(
                f"one token for each of {use.batch} sequences: {words * use.context:,} words of "
                f"the decoder's keys and values are read, {words * heard:,} of the encoder's, "
                "as the Weights of scores and values"
            )

    def _encode(self, heard: int, batch: int, parts: Parts) -> None:
        wide = (self.width, self.width)
        whole, half = Window(self.frames, 3), Window(heard, 3, 2)
        narrow = (self.mel, self.width)
        parts.convolution("encoder.conv1", narrow, [whole], batch)
        parts.convolution("encoder.conv2", wide, [half], batch)
        name, times = "encoder.self_attention", self.encoder_layers
        self._block(name, batch, (heard, heard), heard, parts, times)
        self._feed_forward("encoder", batch * heard, times, parts)

    def _block(
        self,
        name: str,
        batch: int,
        lengths: tuple[int, int],
        fresh: int,
        parts: Parts,
        times: int | None = None,
    ) -> None:
        """Add one attention; ``lengths`` of queries and keys, of which ``fresh`` are computed."""
        wide, count = (self.width, self.width), times or self.decoder_layers
        parts.linear(f"{name}.q", batch * lengths[0], wide, count)
        if fresh:
            parts.linear(f"{name}.k", batch * fresh, wide, count)
            parts.linear(f"{name}.v", batch * fresh, wide, count)
        queries, keys = (
            (batch, self.heads, length, self.width // self.heads) for length in lengths
        )
        parts.attention(name, queries, keys, count)
        parts.linear(f"{name}.o", batch * lengths[0], wide, count)
        parts.leave_out("norm", NORM, count, batch * lengths[0] * self.width)
        parts.leave_out("add", ELEMENTWISE, count, batch * lengths[0] * self.width)

    def _feed_forward(self, name: str, tokens: int, times: int, parts: Parts) -> None:
        parts.linear(f"{name}.feed_forward.up", tokens, (self.width, self.feed_forward), times)
        parts.linear(f"{name}.feed_forward.down", tokens, (self.feed_forward, self.width), times)
        parts.leave_out("norm", NORM, times, tokens * self.width)
        parts.leave_out("activation", ELEMENTWISE, times, tokens * self.feed_forward)
        parts.leave_out("add", ELEMENTWISE, times, tokens * self.width)

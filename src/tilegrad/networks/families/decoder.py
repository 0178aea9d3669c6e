"""Decoder-only language models: grouped-query attention, gated or plain, dense or of experts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tilegrad.checks import choice
from tilegrad.errors import WorkloadError
from tilegrad.networks.families.parts import DECODE, Parts, Use, check_divides, check_sizes
from tilegrad.networks.reasons import ELEMENTWISE, LOOKUP, NORM

MODEL = "workload.model"
BALANCED, SKEWED = "balanced", "skewed"
LAST, ALL = "last", "all"


@dataclass(frozen=True)
class Experts:
    """Feed-forward networks of which each token takes ``active``, chosen by a router.

    ``routing``: ``balanced`` spreads the tokens' choices evenly over all experts, ``skewed`` sends
    all tokens to the same ones.
    """

    count: int
    active: int
    routing: str = BALANCED

    def __post_init__(self) -> None:
        place = f"{MODEL}.experts"
        check_sizes(place, count=self.count, active=self.active)
        choice(f"{place}.routing", self.routing, (BALANCED, SKEWED))
        if self.active > self.count:
            raise WorkloadError(
                f"{place}.active: {self.active} of {self.count} experts; legal: 1 to {self.count}"
            )

    def loads(self, tokens: int) -> Iterator[tuple[int, int]]:
        """Yield (experts, tokens of each) of the experts that get any."""
        if self.routing == SKEWED:
            yield self.active, tokens
            return
        each, more = divmod(tokens * self.active, self.count)
        if more:
            yield more, each + 1
        if each:
            yield self.count - more, each

    def told(self, tokens: int) -> str:
        """Return the routing in words."""
        loads = ", ".join(f"{number} with {each}" for number, each in self.loads(tokens))
        return f"{self.routing} routing: experts with tokens each: {loads}"


@dataclass(frozen=True)
class Decoder:
    """A stack of equal blocks; the fields are those of the public models' configurations.

    ``gated``: three matrices a feed-forward network instead of two; ``fused``: one matrix for
    queries, keys and values; ``logits``: of the ``last`` token of each sequence, or of ``all``.
    """

    layers: int
    width: int
    heads: int
    kv_heads: int
    head_width: int
    feed_forward: int
    vocabulary: int
    gated: bool = True
    fused: bool = False
    experts: Experts | None = None
    logits: str = LAST

    def __post_init__(self) -> None:
        names = ("layers", "width", "heads", "kv_heads", "head_width", "feed_forward", "vocabulary")
        check_sizes(MODEL, **{name: getattr(self, name) for name in names})
        check_divides(MODEL, ("heads", self.heads), ("kv_heads", self.kv_heads))
        choice(f"{MODEL}.logits", self.logits, (LAST, ALL))

    def build(self, use: Use, parts: Parts) -> None:
        """Add all layers to the parts."""
        parts.leave_out("embedding", LOOKUP, 1, use.tokens * self.width)
        parts.leave_out("norm", NORM, 2 * self.layers + 1, use.tokens * self.width)
        parts.leave_out("add", ELEMENTWISE, 2 * self.layers, use.tokens * self.width)
        self._attend(use, parts)
        self._feed_forward(use.tokens, parts)
        rows = use.tokens if self.logits == ALL else use.batch
        parts.linear("lm_head", rows, (self.width, self.vocabulary))

    def _attend(self, use: Use, parts: Parts) -> None:
        tokens, times = use.tokens, self.layers
        inner, outer = self.heads * self.head_width, self.kv_heads * self.head_width
        if self.fused:
            parts.linear("attention.qkv", tokens, (self.width, inner + 2 * outer), times)
        else:
            parts.linear("attention.q", tokens, (self.width, inner), times)
            parts.linear("attention.k", tokens, (self.width, outer), times)
            parts.linear("attention.v", tokens, (self.width, outer), times)
        queries = (use.batch, self.heads, use.length, self.head_width)
        keys = (use.batch, self.kv_heads, use.context, self.head_width)
        parts.attention("attention", queries, keys, times)
        parts.linear("attention.o", tokens, (inner, self.width), times)
        if use.phase == DECODE:
            cached = 2 * self.layers * use.batch * outer * use.context
            parts.notes.append(
                f"one token for each of {use.batch} sequences attends to {use.context} tokens: "
                f"{cached:,} words of keys and values are read, as the Weights of scores and values"
            )

    def _feed_forward(self, tokens: int, parts: Parts) -> None:
        if self.experts is None:
            self._one("feed_forward", tokens, self.layers, parts)
            return
        parts.linear("router", tokens, (self.width, self.experts.count), self.layers)
        for number, each in self.experts.loads(tokens):
            self._one(f"experts.{each}_tokens", each, self.layers * number, parts)
        parts.notes.append(self.experts.told(tokens))

    def _one(self, name: str, tokens: int, times: int, parts: Parts) -> None:
        if self.gated:
            parts.linear(f"{name}.gate", tokens, (self.width, self.feed_forward), times)
        parts.linear(f"{name}.up", tokens, (self.width, self.feed_forward), times)
        parts.linear(f"{name}.down", tokens, (self.feed_forward, self.width), times)
        parts.leave_out("activation", ELEMENTWISE, times, tokens * self.feed_forward)

"""HTML elements, escaped by construction."""

from __future__ import annotations

from html import escape

_VOID = frozenset({"img", "meta"})


class Markup(str):
    """Text that is HTML already; any other text is escaped on its way into an element."""

    __slots__ = ()


def element(name: str, /, *content: str, **attributes: str) -> Markup:
    """Return an element; a trailing ``_`` in an attribute's name is dropped (``class_``)."""
    named = "".join(f' {key.rstrip("_")}="{escape(text)}"' for key, text in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{named} />")
    return Markup(f"<{name}{named}>{joined(*content)}</{name}>")


def joined(*content: str) -> Markup:
    """Return pieces one after the other, escaping those that are not HTML."""
    return Markup(
        "".join(piece if isinstance(piece, Markup) else escape(piece) for piece in content)
    )

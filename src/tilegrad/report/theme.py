"""How pictures look: fonts, colours that colour-blind readers tell apart, PNG bytes."""

from __future__ import annotations

import io
from collections.abc import Iterable

from matplotlib import style
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

MAIN_COLOUR = "#0072B2"
_FIRST_COLOUR = "#666666"
_COLOURS = ("#009E73", "#E69F00", "#56B4E9", "#D55E00", "#CC79A7", "#0072B2", "#F0E442")
"""Okabe and Ito's palette; the arithmetic is grey."""
_DARKER = 0.6
_DPI = 120

themed = style.context(["default", {"font.size": 11, "axes.titlesize": 12}])
"""Decorator: draw in this theme, whatever the user's settings, and leave those as they were."""


def part_colours(parts: Iterable[str]) -> dict[str, str]:
    """Return a colour for the arithmetic, which comes first, and for every level.

    Beyond the palette its colours come again, each time darker.
    """
    return {
        part: _colour(*divmod(index - 1, len(_COLOURS))) if index else _FIRST_COLOUR
        for index, part in enumerate(parts)
    }


def part_lines(parts: Iterable[str]) -> dict[str, str]:
    """Return the style of each part's line: broken where its colour comes again."""
    return {part: "-" if index <= len(_COLOURS) else "-." for index, part in enumerate(parts)}


def _colour(again: int, place: int) -> str:
    red, green, blue = (share * _DARKER**again for share in to_rgb(_COLOURS[place]))
    return to_hex((red, green, blue))


@themed
def png_bytes(figure: Figure) -> bytes:
    """Return the figure as a PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, facecolor="white")
    return buffer.getvalue()

"""How pictures look: fonts, colours that colour-blind readers tell apart, PNG bytes."""

from __future__ import annotations

import io
from collections.abc import Iterable

from matplotlib import style
from matplotlib.figure import Figure

MAIN_COLOUR = "#0072B2"
_FIRST_COLOUR = "#666666"
_COLOURS = ("#009E73", "#E69F00", "#56B4E9", "#D55E00", "#CC79A7", "#0072B2", "#F0E442")
"""Okabe and Ito's palette; the arithmetic is grey."""
_DPI = 120

themed = style.context(["default", {"font.size": 11, "axes.titlesize": 12}])
"""Decorator: draw in this theme, whatever the user's settings, and leave those as they were."""


def part_colours(parts: Iterable[str]) -> dict[str, str]:
    """Return a colour for the arithmetic, which comes first, and for every level."""
    return {
        part: _COLOURS[(index - 1) % len(_COLOURS)] if index else _FIRST_COLOUR
        for index, part in enumerate(parts)
    }


@themed
def png_bytes(figure: Figure) -> bytes:
    """Return the figure as a PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, facecolor="white")
    return buffer.getvalue()

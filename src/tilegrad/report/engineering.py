"""Numbers as a person reads them: three digits and a prefix (the exact ones are in result.json)."""

from __future__ import annotations

import math

_PREFIXES = {-4: "p", -3: "n", -2: "u", -1: "m", 0: "", 1: "k", 2: "M", 3: "G", 4: "T", 5: "P"}


def joules(microjoules: float) -> str:
    """Return an energy given in uJ: ``9.86 mJ``."""
    number, prefix = _prefixed(microjoules * 1e-6)
    return f"{number} {prefix}J"


def cycles(count: float) -> str:
    """Return a number of cycles: ``6.38 M cycles``."""
    return f"{counted(count)} cycles"


def counted(count: float) -> str:
    """Return a number of things: ``6.38 M``."""
    return " ".join(filter(None, _prefixed(count)))


def scientific(value: float) -> str:
    """Return four digits and a power of ten: ``6.289e10``."""
    mantissa, exponent = f"{value:.3e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def kilobytes(size: float) -> str:
    """Return a size given in bytes, 1024 to the KB: ``9.188 KB``."""
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:,.4g} GB"


def percent(share: float) -> str:
    """Return a share of one in percent: ``4.4 %``; what is not nothing is not shown as 0."""
    if 0 < share < 5e-4:
        return f"{100 * share:.1g} %"
    return f"{100 * share:.1f} %"


def at_most(gap: float) -> str:
    """Return a gap in percent, rounded up: what is proven must not read as less."""
    return f"{math.ceil(gap * 1e4) / 1e2:g} %"


def typeset(text: str) -> str:
    """Return ``text`` with the signs that plots and pages can show: micro, times, squared."""
    return text.replace("uJ", "µJ").replace("*", "·").replace("mm2", "mm²")


def _prefixed(value: float) -> tuple[str, str]:
    mantissa, exponent = f"{value:.2e}".split("e")
    power = min(max(int(exponent) // 3, min(_PREFIXES)), max(_PREFIXES))
    if power == 0 and value == int(value):
        return str(int(value)), ""
    scaled = float(mantissa) * 10.0 ** (int(exponent) - 3 * power)
    return f"{scaled:#.3g}".rstrip("."), _PREFIXES[power]

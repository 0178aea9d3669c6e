"""What a user fixes and caps of the hardware, checked."""

from __future__ import annotations

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.build import AREA
from tilegrad.accelerator.possible import check_possible
from tilegrad.checks import CAPPED, is_number, positive_number, section
from tilegrad.errors import ConfigError
from tilegrad.search.hardware import HardwareSpace

DEFAULT = "default"
"""What ``hardware`` may be in place of its fields."""


def hardware_space(accelerator: Accelerator, hardware: object, caps: object) -> HardwareSpace:
    """Check the user's fixed values and caps (None: inferred, unlimited) and return their space.

    ``hardware`` may be ``default``: every parameter at the template's own size. Raises
    ``ConfigError`` naming the parameter; free ones must be such that mappings tell them.
    """
    names = tuple(accelerator.parameters)
    sizes = _defaults(accelerator) if hardware == DEFAULT else hardware
    fixed = _values("hardware", sizes, names, accelerator)
    limits = _values("caps", caps, (*names, AREA, *CAPPED), accelerator)
    area, _ = limits.pop(AREA, None), [limits.pop(name, None) for name in CAPPED]
    for name, value in fixed.items():
        if value > limits.get(name, float("inf")):
            raise ConfigError(
                f"hardware.{name} is {value:g}, above caps.{name} = {limits[name]:g}; "
                "lower the one or raise the other"
            )
    check_possible(accelerator, fixed, "hardware")
    return HardwareSpace(accelerator, fixed, limits, area)


def _defaults(accelerator: Accelerator) -> dict[str, float]:
    """Return the template's own sizes; refuse parameters that have none."""
    without = [name for name in accelerator.parameters if name not in accelerator.defaults]
    if without:
        raise ConfigError(
            f"hardware is {DEFAULT}, and accelerator {accelerator.name} has no default of "
            f"{', '.join(without)}; legal: hardware.{without[0]}=NUMBER and so on"
        )
    return accelerator.defaults


def _values(
    group: str, given: object, legal: tuple[str, ...], accelerator: Accelerator
) -> dict[str, float]:
    values = {}
    for name, value in section(group, given, legal).items():
        if value is None:
            continue
        if name in (AREA, *CAPPED):
            values[name] = positive_number(f"{group}.{name}", value)
            continue
        least = accelerator.parameters[name].minimum
        if not is_number(value) or value < least or value != int(value):
            raise ConfigError(
                f"{group}.{name} is {value!r}; legal: a whole number of at least {least:g}, or null"
            )
        values[name] = float(value)
    return values

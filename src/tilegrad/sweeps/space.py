"""Search spaces: Hydra's sweep syntax as Optuna's distributions, and back to overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep

from tilegrad.errors import ConfigError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

LEGAL = (
    "a,b,c; range(low, high, step); interval(low, high), int(interval(low, high)) for integers, "
    "tag(log, interval(low, high)) for a logarithmic scale"
)


def search_space(
    overrides: Sequence[Override],
) -> tuple[dict[str, BaseDistribution], dict[str, str]]:
    """Return what is searched, by field, and the overrides that are the same in all trials.

    A later override of a field replaces an earlier one, as on Hydra's command line.
    """
    space: dict[str, BaseDistribution] = {}
    fixed: dict[str, str] = {}
    for override in overrides:
        key = override.get_key_element()
        space.pop(key, None)
        fixed.pop(key, None)
        if override.is_sweep_override():
            space[key] = distribution(override)
        else:
            fixed[key] = override.get_value_element_as_str()
    return space, fixed


def distribution(override: Override) -> BaseDistribution:
    """Return the distribution of one swept field; choices are texts in Hydra's grammar."""
    from optuna.distributions import CategoricalDistribution

    sweep = override.value()
    try:
        if isinstance(sweep, RangeSweep):
            return _range(list(override.sweep_string_iterator()), sweep)
        if isinstance(sweep, IntervalSweep):
            return _interval(sweep)
        return CategoricalDistribution(list(override.sweep_string_iterator()))
    except ValueError as error:
        raise ConfigError(f"{override.input_line}: {error}; legal: {LEGAL}") from error


def _range(values: list[str], sweep: RangeSweep) -> BaseDistribution:
    """Return the distribution of a range, which leaves out its end."""
    from optuna.distributions import FloatDistribution, IntDistribution

    if not values:
        raise ValueError("the range is empty")
    if isinstance(sweep.start, int) and isinstance(sweep.step, int):
        return IntDistribution(int(values[0]), int(values[-1]), step=sweep.step)
    low, high = (round(float(value), 12) for value in (values[0], values[-1]))
    return FloatDistribution(low, high, step=float(sweep.step))


def _interval(sweep: IntervalSweep) -> BaseDistribution:
    from optuna.distributions import FloatDistribution, IntDistribution

    # Hydra declares floats; int(interval(..)) holds integers.
    low: Any = sweep.start
    high: Any = sweep.end
    log = "log" in sweep.tags
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=log)
    return FloatDistribution(low, high, log=log)


def trial_overrides(params: Mapping[str, Any], fixed: Mapping[str, str]) -> list[str]:
    """Return the overrides of one trial: the fixed ones first."""
    return [f"{key}={value}" for key, value in {**fixed, **params}.items()]

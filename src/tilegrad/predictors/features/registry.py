"""The feature sets by name."""

from __future__ import annotations

from tilegrad.errors import ConfigError, unknown
from tilegrad.predictors.features.analytical import Analytical
from tilegrad.predictors.features.column import FeatureSet
from tilegrad.predictors.features.commands import Commands
from tilegrad.predictors.features.raw import Raw

FEATURE_SETS: dict[str, FeatureSet] = {
    each.name: each for each in (Raw(), Analytical(), Commands())
}


def feature_set(name: str) -> FeatureSet:
    """Return the feature set of that name; ``ConfigError`` lists the legal ones."""
    if name not in FEATURE_SETS:
        raise ConfigError(unknown("feature set", name, FEATURE_SETS, "features"))
    return FEATURE_SETS[name]

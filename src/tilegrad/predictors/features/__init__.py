"""What predictors see of a schedule: named columns, differentiable in mapping and hardware."""

from tilegrad.predictors.features.analytical import Analytical
from tilegrad.predictors.features.column import Column, FeatureSet
from tilegrad.predictors.features.raw import Raw
from tilegrad.predictors.features.registry import FEATURE_SETS, feature_set

__all__ = ["FEATURE_SETS", "Analytical", "Column", "FeatureSet", "Raw", "feature_set"]

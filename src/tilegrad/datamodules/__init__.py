"""Lightning datamodules: schedules from any source, parted by a protocol."""

from tilegrad.datamodules.examples import Examples, feature_rows
from tilegrad.datamodules.folds import Fold, everything
from tilegrad.datamodules.schedules import ScheduleDataModule
from tilegrad.datamodules.split import (
    FewMachines,
    NoTest,
    RandomRows,
    Split,
    UnseenLayers,
    UnseenMachines,
    UnseenMappings,
    UnseenNetworks,
)

__all__ = [
    "Examples",
    "FewMachines",
    "Fold",
    "NoTest",
    "RandomRows",
    "ScheduleDataModule",
    "Split",
    "UnseenLayers",
    "UnseenMachines",
    "UnseenMappings",
    "UnseenNetworks",
    "everything",
    "feature_rows",
]

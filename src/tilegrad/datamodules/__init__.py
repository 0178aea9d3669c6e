"""Lightning datamodules: schedules from any source, parted by a protocol."""

from tilegrad.datamodules.rows import Rows, feature_rows
from tilegrad.datamodules.schedules import ScheduleDataModule
from tilegrad.datamodules.split import (
    FewMachines,
    Fold,
    NoTest,
    RandomRows,
    Split,
    UnseenLayers,
    UnseenMachines,
    UnseenMappings,
    UnseenNetworks,
    everything,
)

__all__ = [
    "FewMachines",
    "Fold",
    "NoTest",
    "RandomRows",
    "Rows",
    "ScheduleDataModule",
    "Split",
    "UnseenLayers",
    "UnseenMachines",
    "UnseenMappings",
    "UnseenNetworks",
    "everything",
    "feature_rows",
]

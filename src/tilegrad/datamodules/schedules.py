"""The Lightning datamodule of all schedules, whatever their source."""

from __future__ import annotations

from collections.abc import Sequence

from pytorch_lightning import LightningDataModule
from rich.console import Console
from torch import Tensor
from torch.utils.data import DataLoader

from tilegrad.checks import positive_int, positive_number
from tilegrad.datamodules.batches import Batches, loader, rows_of_a_batch
from tilegrad.datamodules.examples import Examples, feature_rows
from tilegrad.datamodules.folds import Fold, everything, hold_out, thinned
from tilegrad.datamodules.groups import group_ids, groups_of
from tilegrad.datamodules.split import Split
from tilegrad.predictors.features import feature_set
from tilegrad.predictors.schema import Schema, checked_targets
from tilegrad.schedules import Source, load_shown
from tilegrad.schedules.digest import schedules_digest

EVALUATION_BATCH = 8192


class ScheduleDataModule(LightningDataModule):
    """Features and log targets of a source's schedules, parted by a protocol.

    ``validation`` is the share of the training groups (layers, machines or rows, as the protocol
    says) that early stopping and the choice of the best checkpoint look at; 0: none.
    ``schedules_per_layer``: so many of each layer's schedules on each machine train or are held out
    at most (None: all); all are tested.
    ``batch_size`` None: as suits the rows.
    """

    def __init__(
        self,
        source: Source,
        split: Split,
        features: str,
        targets: Sequence[str] = ("latency",),
        batch_size: int | None = None,
        validation: float = 0.1,
        seed: int = 0,
        schedules_per_layer: int | None = None,
    ) -> None:
        super().__init__()
        self._source = source
        self._split = split
        self._features = feature_set(features)
        self._targets = checked_targets(targets)
        self._asked_batch = batch_size
        if batch_size is not None:
            positive_int("data.batch_size", batch_size)
        self._validation = 0.0
        if validation != 0:
            self._validation = positive_number("data.validation", validation, below=1)
        if schedules_per_layer is not None:
            positive_int("data.schedules_per_layer", schedules_per_layer)
        self._per_layer = schedules_per_layer
        self._seed = seed
        self._rows: Examples | None = None

    def load(self) -> None:
        """Load the schedules and compute their features, once."""
        if self._rows is not None:
            return
        schedules = load_shown(self._source, Console(stderr=True))
        self.accelerator = schedules.accelerator
        self.digest = schedules_digest(schedules)
        self.findings = schedules.findings
        self.schema = Schema.of(self._features.name, schedules.accelerator, self._targets)
        self._rows = feature_rows(schedules, self._features, self._targets)
        self.batch_size = self._asked_batch or rows_of_a_batch(len(self._rows))
        self.groups = groups_of(schedules, mappings=self._split.together == "mapping")
        self.folds = self._split.folds(self.groups, self._seed)
        self.use(everything(len(self._rows)))

    @property
    def rows(self) -> Examples:
        """All rows, once ``load`` was called."""
        assert self._rows is not None
        return self._rows

    def use(self, fold: Fold) -> None:
        """Choose the fold that the loaders serve."""
        self.fold = fold
        ids = group_ids(self.groups, self._split.together)
        rows = fold.train
        if self._per_layer is not None:
            pairs = self.groups.layer * len(self.groups.machine_names) + self.groups.machine
            rows = thinned(pairs, rows, self._per_layer, self._seed)
        self._train, self._val = hold_out(ids, rows, self._validation, self._seed)

    def prepare_data(self) -> None:
        """Load, where the caller has not yet."""
        self.load()

    def training_rows(self) -> dict[str, Tensor]:
        """Return all rows to train on at once."""
        return self.rows[self._train]

    @property
    def held_out(self) -> int:
        """The fold's rows that neither train nor test, but stop the training."""
        return len(self._val)

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Return the rows to train on, shuffled unless a few batches are to be learnt by heart."""
        overfit = getattr(self.trainer, "overfit_batches", 0)
        return loader(self.rows, Batches(self._train, self.batch_size, self._seed, not overfit))

    def val_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Return the rows held out of training."""
        return self._in_order(self._val)

    def predict_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Return the fold's rows to test on."""
        return self._in_order(self.fold.test)

    def _in_order(self, rows: Tensor) -> DataLoader[dict[str, Tensor]]:
        return loader(self.rows, Batches(rows, EVALUATION_BATCH, self._seed, shuffled=False))

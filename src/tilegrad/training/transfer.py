"""A trained predictor on another machine: as it is, and after some of its measurements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.checks import positive_int, positive_number
from tilegrad.datamodules import Examples, feature_rows
from tilegrad.errors import ConfigError
from tilegrad.files import make_directory, read_json, write_json, write_text
from tilegrad.predictors import Pipeline, Predictor
from tilegrad.predictors.adaptation import adapted
from tilegrad.predictors.features import feature_set
from tilegrad.report.transfer import TRANSFER, transfer_plot
from tilegrad.schedules import Schedules
from tilegrad.training.plots import save_figure
from tilegrad.training.predictions import coverage, target_metrics, test_table

DIRECTORY, PICTURE = "transfer", "transfer.png"


class MachineSource(Protocol):
    """A source of one machine's measurements, a dataclass with the ``accelerator`` as a field."""

    accelerator: Accelerator

    def load(self) -> Schedules:
        """Return the schedules."""
        ...


@dataclass(frozen=True)
class Transfer:
    """Tests a trained pipeline on another machine's measurements.

    ``machines`` are facts of that machine by name, as ``accelerator.machine`` has them, over those
    of the training: the same rows may be read as warm and as cold. For each number of
    ``measurements``, the predictor is adapted to as many rows, drawn at random from all layers but
    a share ``tested`` of them, and tested on those; ``draws`` times, other layers and rows each
    time. 0 measurements: the predictor as it is, on all rows.
    """

    source: Any
    machines: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: {"other": {}})
    measurements: Sequence[int] = (0, 10, 20, 40, 80)
    draws: int = 5
    tested: float = 0.375

    def __post_init__(self) -> None:
        positive_int("transfer.draws", self.draws)
        positive_number("transfer.tested", self.tested, below=1)
        for place, count in enumerate(self.measurements):
            positive_int(f"transfer.measurements[{place}]", count, least=0)
        if not self.machines or not self.measurements:
            empty = "machines" if self.measurements else "measurements"
            raise ConfigError(f"transfer.{empty} is empty; legal: at least one")

    def run(self, predictor: Predictor, directory: Path, seed: int) -> dict[str, dict[str, Any]]:
        """Return the median metrics by machine and number, as ``warm_40``.

        Leaves a table of all draws and a picture; draws that were finished before are read.
        """
        if not isinstance(predictor, Pipeline):
            raise ConfigError(
                f"transfer adapts model=pipeline to other machines, not model={predictor.kind}; "
                "legal: model=pipeline, or transfer=null"
            )
        make_directory("dir", directory / DIRECTORY)
        rows = [
            {"machine": name, "measurements": count, "draw": draw, **found}
            for name in self.machines
            for count, draw, found in self._outcomes(name, predictor, directory, seed)
        ]
        table = pd.DataFrame(rows)
        write_text(directory / TRANSFER, table.to_csv(index=False))
        save_figure(transfer_plot(table), directory / PICTURE)
        medians = table.groupby(["machine", "measurements"], sort=False).median()
        return {
            f"{machine}_{count}": row.drop("draw").astype(float).to_dict()
            for (machine, count), row in medians.iterrows()
        }

    def _outcomes(
        self, name: str, predictor: Pipeline, directory: Path, seed: int
    ) -> Iterator[tuple[int, int, dict[str, Any]]]:
        examples = self._examples(name, predictor)
        for count in self.measurements:
            for draw in range(self.draws if count else 1):
                done = directory / DIRECTORY / f"{name}-{count}-{draw}.json"
                if not done.exists():
                    write_json(done, self._outcome(examples, predictor, count, seed, draw))
                yield count, draw, read_json(done)

    def _examples(self, name: str, predictor: Pipeline) -> Examples:
        """Return the rows of the other machine, of those facts."""
        usual = self.source.accelerator
        facts = {**usual.machine, **self.machines[name]}
        source: MachineSource = replace(self.source, accelerator=replace(usual, machine=facts))
        features = feature_set(predictor.schema.features)
        return feature_rows(source.load(), features, predictor.schema.targets)

    def _outcome(
        self, examples: Examples, predictor: Pipeline, count: int, seed: int, draw: int
    ) -> dict[str, Any]:
        tested, model = torch.arange(len(examples)), predictor
        if count:
            seen, tested = self._drawn(examples, count, seed, draw)
            torch.manual_seed(seed)
            model = adapted(predictor, examples[seen]).predictor
        targets = predictor.schema.targets
        table = test_table(model, examples, tested, targets)
        (metrics,) = target_metrics(table, targets).values()
        (intervals,) = coverage(table, targets).values() or ({},)
        return {**metrics, **intervals}

    def _drawn(self, examples: Examples, count: int, seed: int, draw: int) -> tuple[Tensor, Tensor]:
        """Return the rows that are measured, and those of the layers that are tested."""
        random = np.random.default_rng([seed, draw])
        layers = random.permutation(examples.layer.unique().numpy())
        left = layers[: max(1, round(self.tested * len(layers)))]
        is_tested = np.isin(examples.layer.numpy(), left)
        pool = np.flatnonzero(~is_tested)
        if count > len(pool):
            raise ConfigError(
                f"transfer.measurements has {count}, and the layers that are not tested have "
                f"{len(pool)} rows; legal: at most as many"
            )
        seen = random.choice(pool, count, replace=False)
        return torch.from_numpy(seen), torch.from_numpy(np.flatnonzero(is_tested))

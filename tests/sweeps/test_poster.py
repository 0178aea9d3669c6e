"""The poster's experiments: every job of each runs, and one command sweeps several of them."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from tests.helpers_scripts import Command
from tests.sweeps.conftest import WHOLE
from tests.training.conftest import SHRUNK, result_of
from tilegrad.paths import config_directory
from tilegrad.sweeps.record import read_record

FOLDER = config_directory() / "experiment" / "poster"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != "base")
QUIET = ("data.batch_size=32", "plots=false", "progress=false", "logger=none")
MADE = ("data=default", WHOLE, *QUIET)
SWEEP = Path("sweep")

FEW = {
    "counts": ("split.count=2",),
    "features": ("split.count=2",),
    "models": ("split.count=2",),
    "pairs": ("split.of=2",),
    "pairs_raw": ("split.of=2",),
    "targets": ("split.count=2",),
}
"""Fewer folds of an experiment."""

OWN = {"simba": ("data.source.each=1", "data.source.cache=kept", "workload=alexnet", *QUIET)}
"""Experiments with a source of their own, made smaller."""


@pytest.fixture
def blank() -> None:
    """Draw the pictures here."""


def jobs_of(experiment: str) -> list[tuple[str, ...]]:
    """Return the overrides of an experiment's jobs of one seed."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        chosen = [f"experiment=poster/{experiment}", f"hydra.sweep.dir={SWEEP}"]
        swept = dict(compose("train", chosen, return_hydra_config=True).hydra.sweeper.params)
    assert len(swept.pop("seed").split(",")) == 5
    values = [[f"{name}={value}" for value in text.split(",")] for name, text in swept.items()]
    return list(product(*values))


CASES = [
    pytest.param(
        name,
        whole,
        marks=[pytest.mark.exhaustive] * whole + [pytest.mark.slow] * (name in OWN and not whole),
    )
    for name in NAMES
    for whole in (False, True)
]


@pytest.mark.parametrize(("experiment", "whole"), CASES)
def test_every_job_of_an_experiment_runs(experiment: str, whole: bool, command: Command) -> None:
    jobs = jobs_of(experiment)
    assert len(jobs) >= 2
    jobs = jobs if whole else jobs[-1:]
    for number, job in enumerate(jobs):
        model = next((text.partition("=")[2] for text in job if "model=" in text), "forest")
        ended = command(f"experiment=poster/{experiment}", *OWN.get(experiment, MADE), "debug=fdr",
                        *job, *SHRUNK.get(model, ()), *FEW.get(experiment, ()),
                        f"dir=run{number}")  # fmt: skip
        assert ended.code == 0, ended.err
        result = result_of(Path(f"run{number}"))
        assert (result["metrics"] or result["importances"]) != {}


@pytest.mark.slow
def test_one_command_sweeps_experiments_each_over_its_own_fields(command: Command) -> None:
    chosen = "experiment=poster/hardware_raw,poster/importances"
    ended = command("-m", chosen, *MADE, "model=linear", "features=raw", "seed=3,4",
                    f"hydra.sweep.dir={SWEEP}")  # fmt: skip
    assert ended.code == 0, ended.err
    table = pd.read_csv(SWEEP / "summary.csv")
    assert table[["experiment", "seed"]].values.tolist() == [
        ["poster/hardware_raw", 3],
        ["poster/hardware_raw", 4],
        ["poster/importances", 3],
        ["poster/importances", 4],
    ]
    assert table["latency.pair_accuracy_micro"].isna().tolist() == [False, False, True, True]
    assert "nan" not in (SWEEP / "summary.md").read_text()
    found = [result_of(SWEEP / str(job))["importances"]["permutation"] for job in (2, 3)]
    importances = pd.read_csv(SWEEP / "importances.csv")
    assert set(importances.setting) == {"experiment=poster/importances"}
    raw = importances[importances.measure == "permutation"].set_index("column")
    assert set(raw.index) == set(found[0])
    for column, row in raw.iterrows():
        values = sorted(one[str(column)] for one in found)
        assert [row["min"], row["max"]] == pytest.approx(values)
        assert row["median"] == pytest.approx(sum(values) / 2)
        assert row["seeds"] == 2
    assert raw["median"].abs().is_monotonic_decreasing
    assert (SWEEP / "importances.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("chosen", ["experiment=poster/modles", "experiment=poster/pairs,modles"])
def test_an_unknown_experiment_is_refused_before_any_job(chosen: str, command: Command) -> None:
    ended = command("-m", chosen, *MADE, f"hydra.sweep.dir={SWEEP}")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "experiment: unknown option " in ended.err
    assert "nearest: poster/models" in ended.err
    assert read_record(SWEEP / "0") is None

"""A tiny run of each kind, with all it reads, and what must not change where it is repeated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tests.helpers_predictors import predictor, save
from tests.helpers_schedules import MadeSchedules
from tilegrad.accelerator import load_accelerator
from tilegrad.paths import config_directory
from tilegrad.schedules.export import export_schedules
from tilegrad.workload import load_workload

LAYERS = "layer,R,S,P,Q,C,K\nconv,3,3,8,8,4,8\nlinear,1,1,4,4,16,32\n"
LEVELS = ("Registers", "AccumulationBuffer", "WeightBuffer", "InputBuffer", "GlobalBuffer", "DRAM")

TRAINING = (
    "model=linear", "split.count=2", "importances=false", "plots=false", "progress=false",
    "logger=none",
)  # fmt: skip
SEARCH = (
    "workload=small.csv", "accelerator=mine", "strategy=random", "strategy.designs=20",
    "report=false", "progress=false", "bound=none",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A command, its arguments (``{dir}`` is where it writes), and its inputs.

    ``inputs``: by file, words of which an error about its content has one.
    """

    command: str
    arguments: tuple[str, ...]
    inputs: Mapping[str, tuple[str, ...]]

    def into(self, directory: str, *further: str) -> list[str]:
        """Return the arguments of a run that writes into a directory."""
        return [text.format(dir=directory) for text in (*self.arguments, *further)]


TABLE = {"mine.csv": ("mine.csv", "data.source.path")}
ACCELERATOR = {
    "own/accelerator/mine.yaml": ("mine", "accelerator"),
    "ert.yaml": ("ert", "level"),
}
NETWORK = {"small.csv": ("small.csv", "workload")}
CHECKPOINT = {"model.ckpt": ("ckpt",)}

RUNS = {
    "training": Run("train", (*TRAINING, "data=mine.csv", "dir={dir}"), TABLE),
    "search": Run(
        "search",
        ("--config-dir=own", *SEARCH, "ckpt=model.ckpt", "dir={dir}"),
        {**NETWORK, **ACCELERATOR, **CHECKPOINT},
    ),
    "evaluation": Run(
        "eval",
        ("data=mine.csv", "ckpt=gemmini.ckpt", "plots=false", "progress=false", "dir={dir}"),
        {**TABLE, "gemmini.ckpt": ("ckpt",)},
    ),
    "comparison": Run(
        "compare",
        (
            "--config-dir=own", "~designs", "+designs.one=['accelerator=mine']",
            "+designs.two=['accelerator=mine','seed=1']", "reference=one",
            "workloads=[small.csv]", "progress=false", "dir={dir}",
            "shared=['strategy=random','strategy.designs=20','bound=none']",
        ),
        {**NETWORK, **ACCELERATOR},
    ),
    "sweep": Run(
        "train",
        ("-m", *TRAINING, "refit=false", "data=mine.csv", "seed=1,2", "hydra.sweep.dir={dir}"),
        TABLE,
    ),
}  # fmt: skip


def write_inputs(directory: Path) -> None:
    """Write all that the runs read."""
    (directory / "small.csv").write_text(LAYERS)
    export_schedules(MadeSchedules(each=2).load(), directory / "made.parquet")
    pd.read_parquet(directory / "made.parquet").to_csv(directory / "mine.csv", index=False)
    (directory / "made.parquet").unlink()
    (directory / "own" / "accelerator").mkdir(parents=True)
    simba = (config_directory() / "accelerator" / "simba.yaml").read_text()
    mine = simba.replace("name: simba", "name: mine").replace(
        "energy: accelergy", "energy: {table: accelergy, ert: ert.yaml}"
    )
    (directory / "own" / "accelerator" / "mine.yaml").write_text(mine)
    actions = "actions: [{name: read, energy: 20.5}, {name: write, energy: 30.25}]"
    tables = "".join(f"    - name: {name}\n      {actions}\n" for name in LEVELS)
    (directory / "ert.yaml").write_text(f"ERT:\n  version: 0.3\n  tables:\n{tables}")
    accelerator = load_accelerator(str(directory / "own" / "accelerator" / "mine.yaml"))
    small = load_workload(path=str(directory / "small.csv"))
    save(predictor("linear", small, accelerator=accelerator), directory / "model.ckpt")
    save(predictor("linear", small), directory / "gemmini.ckpt")


VARYING = {
    "seconds", "fit_seconds", "versions", "git", "fingerprint", "made_by", "trained_by",
    "unproven",
    "written_by", "resumed", "model", "checkpoint", "name", "ckpt", "workload",
}  # fmt: skip
"""What depends on time, place and version, and on what is compiled there.

Names of files are in names of runs and workloads.
"""


def figures(directory: Path) -> dict[str, Any]:
    """Return all figures below a run's directory, by file."""
    found: dict[str, Any] = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if path.name in ("result.json", "fold.json"):
            found[name] = _lasting(json.loads(path.read_text()))
        elif path.name == "history.csv":
            found[name] = pd.read_csv(path).drop(columns="seconds").to_dict("list")
        elif path.name == "comparison.csv":
            found[name] = path.read_text()
    return found


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(item) for key, item in value.items() if key not in VARYING}
    return [_lasting(item) for item in value] if isinstance(value, list) else value

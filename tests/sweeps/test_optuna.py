"""Searches over hyperparameters: spaces, failed trials, going on after any end, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hydra.core.override_parser.overrides_parser import OverridesParser

from tests.helpers_scripts import Command
from tests.sweeps.conftest import QUICK, WHOLE
from tests.sweeps.helpers import ending
from tilegrad.errors import ConfigError
from tilegrad.sweeps.record import RUNNING, JobRecord, read_record

optuna = pytest.importorskip("optuna", reason="not installed: pip install 'tilegrad[sweeps]'")

from tilegrad.sweeps.space import search_space, trial_overrides  # noqa: E402
from tilegrad.sweeps.study import Search, SearchSettings  # noqa: E402

SWEEP = Path("sweep")
SPACE = ("model.ridge=tag(log,interval(1e-8,1))", "seed=1,2,3", "data.validation=0.1,0.2")
SEARCH = ("-m", "hydra/sweeper=optuna", "hydra.sweeper.trials=5", "hydra.sweeper.jobs=2")


def space_of(*overrides: str) -> tuple[dict[str, Any], dict[str, str]]:
    return search_space(OverridesParser.create().parse_overrides(list(overrides)))


def test_hydras_sweeps_become_distributions() -> None:
    found, fixed = space_of(
        "features=raw,analytical", "model.hidden=choice([64,32],[16])", "seed=range(1,10,4)",
        "data.validation=range(0.1,0.5,0.1)", "model.ridge=tag(log,interval(1e-8,1))",
        "model.trees=int(interval(10,99))", "model=mlp", "split.count=2", "split.count=3,4",
    )  # fmt: skip
    kinds = optuna.distributions
    assert found == {
        "features": kinds.CategoricalDistribution(["raw", "analytical"]),
        "model.hidden": kinds.CategoricalDistribution(["[64,32]", "[16]"]),
        "seed": kinds.IntDistribution(1, 9, step=4),
        "data.validation": kinds.FloatDistribution(0.1, 0.4, step=0.1),
        "model.ridge": kinds.FloatDistribution(1e-8, 1, log=True),
        "model.trees": kinds.IntDistribution(10, 99),
        "split.count": kinds.CategoricalDistribution(["3", "4"]),
    }
    assert fixed == {"model": "mlp"}
    assert trial_overrides({"seed": 5, "model.hidden": "[16]"}, fixed) == [
        "model=mlp", "seed=5", "model.hidden=[16]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "override", ["a=interval(3,1)", "a=tag(log,interval(0,1))", "a=range(3,1)"]
)
def test_a_space_without_values_is_refused(override: str) -> None:
    with pytest.raises(ConfigError, match="legal: a,b,c"):
        space_of(override)


def trials(directory: Path) -> list[tuple[str, dict[str, Any], float | None]]:
    """Return state, parameters and value of every trial, read by Optuna itself."""
    backend = optuna.storages.journal.JournalFileBackend(str(directory / "study.journal"))
    study = optuna.load_study(
        study_name="tilegrad", storage=optuna.storages.JournalStorage(backend)
    )
    return [(trial.state.name, trial.params, trial.value) for trial in study.trials]


def metric(directory: Path) -> float:
    found = json.loads((directory / "result.json").read_text())["metrics"]["latency"]
    return float(found["pair_accuracy_micro"])


@pytest.mark.exhaustive
def test_an_interrupted_search_ends_as_a_whole_one(command: Command) -> None:
    search = (*SEARCH, *QUICK[:-1], *SPACE)
    whole = command(*search, WHOLE, "hydra.sweep.dir=whole")
    assert whole.code == 0, whole.err
    expected = trials(Path("whole"))
    assert [state for state, _, _ in expected] == ["COMPLETE"] * 5
    assert [value for _, _, value in expected] == [metric(Path(f"whole/{n}")) for n in range(5)]
    seeds = [params["seed"] for _, params, _ in expected]
    # Interrupted in the first trial that has another seed than the first one.
    stops = int(next(seed for seed in seeds if seed != seeds[0]))

    broken = (*search, ending(stops, "interrupt"), "hydra.sweep.dir=sweep")
    assert command(*broken).code == 130
    done = [state for state, _, _ in trials(SWEEP)]
    assert "RUNNING" in done
    assert len(done) < 5
    # As a kill in the middle of a line would leave it.
    with (SWEEP / "study.journal").open("ab") as journal:
        journal.write(b'{"op_code":4,"work')
    (SWEEP / "study.journal.lock").touch()
    assert command(*broken).code == 0
    again = trials(SWEEP)
    assert [params for _, params, _ in again] == [params for _, params, _ in expected]
    assert [value for _, _, value in again] == [metric(SWEEP / str(n)) for n in range(5)]


@pytest.mark.slow
def test_a_failed_trial_is_marked_and_the_rest_goes_on(command: Command) -> None:
    ended = command(*SEARCH, *QUICK, WHOLE, "data.validation=0.1,3",
                    "hydra.sweeper.sampler.name=RandomSampler")  # fmt: skip
    assert ended.code == 0, ended.err
    tried = {(params["data.validation"], state) for state, params, _ in trials(SWEEP)}
    assert tried == {("0.1", "COMPLETE"), ("3", "FAIL")}
    assert "data.validation is 3; legal" in (SWEEP / "summary.md").read_text()
    assert (SWEEP / "summary.png").exists()


@pytest.mark.slow
def test_more_trials_go_on_with_a_finished_search(command: Command) -> None:
    few = ("-m", "hydra/sweeper=optuna", *QUICK, WHOLE, *SPACE)
    assert command(*few, "hydra.sweeper.trials=1").code == 0
    first = trials(SWEEP)
    assert command(*few, "hydra.sweeper.trials=2").code == 0
    assert trials(SWEEP)[:1] == first
    assert len(trials(SWEEP)) == 2


def settings(**changed: Any) -> SearchSettings:
    sampler = {"name": "RandomSampler"}
    whole = {"trials": 3, "jobs": 1, "sampler": sampler, "seed": 0, "attempts": 2}
    return SearchSettings(direction="minimize", **{**whole, **changed})


def search_of(**changed: Any) -> Search:
    SWEEP.mkdir(exist_ok=True)
    return Search(SWEEP, settings(**changed), space_of("a=interval(0,1)")[0], {})


def test_a_trial_that_ends_its_process_again_and_again_has_failed(directory: Path) -> None:
    assert directory.is_dir()
    (first,) = search_of().batch().items()
    for attempts, expected in ((1, first[0]), (2, 1)):
        JobRecord(0, (), "x", RUNNING, attempts=attempts).write(SWEEP / "0")
        (again,) = search_of().batch()
        assert again == expected
    record = read_record(SWEEP / "0")
    assert record is not None
    assert record.error == "its process ended in it 2 times"
    assert [state for state, _, _ in trials(SWEEP)] == ["FAIL", "RUNNING"]


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"trials": 0}, ("hydra.sweeper.trials", "0")),
        ({"jobs": 1.5}, ("hydra.sweeper.jobs", "1.5")),
        ({"sampler": {"name": "TPESample"}}, ("sampler", "TPESample", "nearest: TPESampler")),
        ({"sampler": {"name": "TPESampler", "starts": 3}}, ("sampler", "starts")),
        ({"sampler": {"name": "GridSampler"}}, ("sampler", "GridSampler")),
    ],
)
def test_settings_are_refused(
    changed: dict[str, Any], names: tuple[str, ...], directory: Path
) -> None:
    assert directory.is_dir()
    with pytest.raises(ConfigError) as refused:
        search_of(**changed)
    for name in names:
        assert name in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ((), ("no field to search", "interval")),
        (("hydra.sweeper.direction=up", "seed=1,2"), ("hydra.sweeper.direction", "maximize")),
        (("seed=1,2",), ("another process",)),
    ],
)
def test_a_search_is_refused_in_one_line(
    arguments: tuple[str, ...], names: tuple[str, ...], command: Command
) -> None:
    SWEEP.mkdir()
    with FileLock(SWEEP / "sweep.lock"):
        ended = command("-m", "hydra/sweeper=optuna", *QUICK, WHOLE, *arguments)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    for name in names:
        assert name in ended.err


def test_another_search_in_the_directory_is_refused(command: Command) -> None:
    search = ("-m", "hydra/sweeper=optuna", "hydra.sweeper.trials=1", *QUICK, WHOLE)
    assert command(*search, "seed=1,2").code == 0
    ended = command(*search, "seed=1,2,3")
    assert ended.code == 2
    assert "holds a search with another space" in ended.err

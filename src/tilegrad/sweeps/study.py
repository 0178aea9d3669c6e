"""A search over hyperparameters that can be killed at any moment and gone on with."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tilegrad.checks import choice, positive_int
from tilegrad.errors import ConfigError, unknown
from tilegrad.extras import required
from tilegrad.fingerprint.record import FORMAT, Fingerprint
from tilegrad.sweeps.record import RUNNING, read_record

if TYPE_CHECKING:
    import optuna

JOURNAL = "study.journal"
NAME = "tilegrad"
IDENTITY = "search"

UNFIT = ("BaseSampler", "BruteForceSampler", "GridSampler")
"""Samplers that try everything stop a loop that we do not run; hydra/sweeper=grid does that."""

RISING = ("pair_accuracy_micro", "pair_accuracy_macro", "spearman_layer", "spearman")
"""Metrics of which more is better; of all others, less is."""


@dataclass(frozen=True)
class SearchSettings:
    """How trials are chosen.

    ``sampler`` is the name of a class of ``optuna.samplers`` with its options. ``direction`` is
    maximize or minimize. A trial that ends its process ``attempts`` times has failed.
    """

    trials: int
    jobs: int
    direction: str
    sampler: Mapping[str, Any]
    seed: int
    attempts: int

    def __post_init__(self) -> None:
        for name, least in (("trials", 1), ("jobs", 1), ("seed", 0), ("attempts", 1)):
            positive_int(f"hydra.sweeper.{name}", getattr(self, name), least)
        choice("hydra.sweeper.direction", self.direction, ("maximize", "minimize"))


class Search:
    """An Optuna study in a journal in the sweep's directory.

    What a trial tries depends on the seed, the trial's number and the batches before it alone, so
    that a search that was killed ends as one that was not. A trial that was cut off is run again.
    """

    def __init__(
        self,
        directory: Path,
        settings: SearchSettings,
        space: Mapping[str, optuna.distributions.BaseDistribution],
        identity: Mapping[str, Any],
    ) -> None:
        self._directory = directory
        self._settings = settings
        self._space = dict(space)
        self._sampler = _sampler_class(settings.sampler)
        self.sampler(0)
        self._study = _open_study(directory, settings.direction)
        self._check(identity)

    def sampler(self, number: int) -> optuna.samplers.BaseSampler:
        """Return the sampler that chooses the trial of a number."""
        options = {key: value for key, value in self._settings.sampler.items() if key != "name"}
        import optuna

        try:
            with warnings.catch_warnings():
                # That an interface may change is for those who call it.
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                found: optuna.samplers.BaseSampler = self._sampler(
                    **{"seed": self._settings.seed + number, **options}
                )
        except (TypeError, ValueError) as error:
            raise ConfigError(f"hydra.sweeper.sampler: {error}") from error
        return found

    def batch(self) -> dict[int, dict[str, Any]]:
        """Return the next trials by number: those cut off and new ones; none when all are done."""
        import optuna

        cut_off = {trial.number: trial for trial in self._in(optuna.trial.TrialState.RUNNING)}
        found = {number: trial.params for number, trial in cut_off.items() if trial.params}
        for number in cut_off:
            if number not in found or self._hopeless(number):
                self.tell(number, None)
                found.pop(number, None)
        told = len(self._study.get_trials(deepcopy=False))
        first = min(found, default=told)
        jobs = self._settings.jobs
        end = min((first // jobs + 1) * jobs, self._settings.trials)
        for number in range(told, end):
            self._study.sampler = self.sampler(number)
            found[number] = self._study.ask(self._space).params
        return found

    def check_trials(self, of_trial: Callable[[int, Mapping[str, Any]], Fingerprint]) -> None:
        """Refuse to go on with trials that read anything else than they would read now.

        ``of_trial`` returns what the trial of a number with its parameters reads. Raises
        ``ConfigError`` naming the trial and what differs.
        """
        for trial in self._study.get_trials(deepcopy=False):
            record = read_record(self._directory / str(trial.number))
            if record is None or not trial.params:
                continue
            here = of_trial(trial.number, trial.params)
            there = Fingerprint(here.kind, record.fingerprint or {})
            if different := here.difference(there):
                name, other, own = different
                raise ConfigError(
                    f"hydra.sweep.dir={self._directory} holds a search whose trial {trial.number} "
                    f"had another {name} ({other} there, {own} here); give another directory, or "
                    "what it had"
                )

    def tell(self, number: int, value: object) -> None:
        """Note what a trial ended with; it has failed where that is no finite number."""
        import optuna

        if isinstance(value, (int, float)) and isfinite(value):
            self._study.tell(number, float(value))
        else:
            self._study.tell(number, state=optuna.trial.TrialState.FAIL)

    def _in(self, *states: Any) -> list[optuna.trial.FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=states)

    def _hopeless(self, number: int) -> bool:
        record = read_record(self._directory / str(number))
        if record is None or record.status != RUNNING or record.attempts < self._settings.attempts:
            return False
        error = f"its process ended in it {record.attempts} times"
        record.failed(error).write(self._directory / str(number))
        return True

    def _check(self, identity: Mapping[str, Any]) -> None:
        """Refuse a directory that holds another search."""
        whole = {"format": FORMAT, **identity, "direction": self._settings.direction}
        here = json.loads(json.dumps(whole))
        there = self._study.user_attrs.get(IDENTITY)
        if there is None:
            self._study.set_user_attr(IDENTITY, here)
            return
        for name in here:
            if there.get(name) != here[name]:
                raise ConfigError(
                    f"hydra.sweep.dir={self._directory} holds a search with another {name} "
                    f"({there.get(name)} there, {here[name]} here); give another directory"
                )


def _sampler_class(sampler: Mapping[str, Any]) -> Any:
    samplers = required("optuna.samplers", "sweeps", "hydra/sweeper=optuna")
    legal = [name for name in samplers.__all__ if name.endswith("Sampler") and name not in UNFIT]
    name = sampler.get("name")
    if name not in legal:
        raise ConfigError(unknown("sampler", name, legal, "hydra.sweeper.sampler.name"))
    return getattr(samplers, str(name))


def _open_study(directory: Path, direction: str) -> optuna.Study:
    """Open the journal; what a killed process left of a line or a lock is removed first.

    The caller is alone in the directory.
    """
    import optuna
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = directory / JOURNAL
    if path.exists():
        text = path.read_bytes()
        whole = text.rfind(b"\n") + 1
        if whole < len(text):
            with path.open("r+b") as file:
                file.truncate(whole)
    path.with_name(f"{JOURNAL}.lock").unlink(missing_ok=True)
    lock = JournalFileOpenLock(str(path))
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(path), lock_obj=lock))
    return optuna.create_study(
        study_name=NAME,
        storage=storage,
        direction=optuna.study.StudyDirection[direction.upper()],
        load_if_exists=True,
    )

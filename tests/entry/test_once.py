"""A plain command's config is composed once, of files parsed once, and is what Hydra composes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from tests.helpers_scripts import Script
from tilegrad import application
from tilegrad.application import Job

COMPOSE = ConfigLoaderImpl.load_configuration


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what jobs were given, each with Hydra's own part, instead of running them."""
    given: list[Any] = []

    def note(_: Job, config: DictConfig) -> float:
        given.append((OmegaConf.to_container(config), OmegaConf.to_container(HydraConfig.get())))
        return 0.0

    monkeypatch.setattr(Job, "__call__", note)
    return given


@pytest.fixture
def composed(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """Return the overrides of every composition."""
    found: list[Sequence[str]] = []

    def count(loader: Any, config_name: Any, overrides: Any, *further: Any, **options: Any) -> Any:
        found.append(tuple(overrides))
        return COMPOSE(loader, config_name, overrides, *further, **options)

    monkeypatch.setattr(ConfigLoaderImpl, "load_configuration", count)
    return found


@pytest.mark.parametrize(
    ("command", "overrides"),
    [
        ("search", ()),
        ("search", ("workload=bert", "seed=3", "+hydra.job.env_set.SOME=1", "~target")),
        ("train", ("model=forest", "hydra.mode=RUN")),
        ("train", ("experiment=poster/models",)),
        ("search", ("caps={pe_dim:16,accumulator_kb:64}",)),
    ],
)
def test_it_is_what_hydra_composes(
    command: str,
    overrides: tuple[str, ...],
    script: Script,
    seen: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = (*overrides, "hydra.run.dir=run")
    assert script(command, *arguments).code == 0
    monkeypatch.setattr(application, "composed_once", nullcontext)
    monkeypatch.setattr(application, "parsed_once", nullcontext)
    assert script(command, *arguments).code == 0
    ours, own = seen
    assert ours == own


@pytest.mark.parametrize(
    ("overrides", "count"), [((), 1), (("seed=3",), 1), (("hydra.mode=RUN",), 3), (("sed=1",), 1)]
)
def test_plain_commands_are_composed_once(
    overrides: tuple[str, ...],
    count: int,
    script: Script,
    seen: list[Any],
    composed: list[Sequence[str]],
) -> None:
    ended = script("search", *overrides, "hydra.run.dir=run")
    assert len(composed) == count
    assert len(seen) == (ended.code == 0)


def test_a_config_that_names_its_mode_has_it(
    script: Script, directory: Path, seen: list[Any]
) -> None:
    """As an experiment that always is a sweep."""
    (directory / "own" / "experiment").mkdir(parents=True)
    text = "# @package _global_\nhydra: {mode: MULTIRUN, sweeper: {params: {seed: '1,2'}}}\n"
    (directory / "own" / "experiment" / "seeds.yaml").write_text(text)
    assert script("train", "--config-dir=own", "experiment=seeds").code == 0
    assert [config["seed"] for config, _ in seen] == [1, 2]


def test_a_file_is_parsed_anew_when_its_text_changes(
    script: Script, directory: Path, seen: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    parse = OmegaConf.load

    def count(file: Any) -> Any:
        parsed.append(file.name)
        return parse(file)

    monkeypatch.setattr(OmegaConf, "load", count)
    (directory / "own" / "experiment").mkdir(parents=True)
    for text in ("seed: 801", "seed: 802", "seed: 802"):
        (directory / "own" / "experiment" / "mine.yaml").write_text(f"# @package _global_\n{text}")
        assert script("train", "--config-dir=own", "experiment=mine").code == 0
    assert [config["seed"] for config, _ in seen] == [801, 802, 802]
    assert sum(name.endswith("mine.yaml") for name in parsed) == 2


def test_what_a_job_does_to_its_config_stays_there(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []

    def spoil(_: Job, config: DictConfig) -> None:
        found.append(OmegaConf.to_container(config))
        config.model = None
        config.data.batch_size = -1

    monkeypatch.setattr(Job, "__call__", spoil)
    for _ in range(2):
        assert script("train", "hydra.run.dir=run").code == 0
    assert found[0] == found[1]


def test_a_broken_file_is_named_each_time(script: Script, directory: Path) -> None:
    (directory / "own" / "experiment").mkdir(parents=True)
    (directory / "own" / "experiment" / "mine.yaml").write_text("seed: [1\n")
    ended = [script("train", "--config-dir=own", "experiment=mine") for _ in range(2)]
    assert {each.code for each in ended} == {2}
    assert all("mine.yaml" in each.err for each in ended)

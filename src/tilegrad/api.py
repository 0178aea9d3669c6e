"""The commands as functions: ``tilegrad.search``, ``train``, ``evaluate`` and ``load``.

Keyword arguments are the fields of the commands' configs (``tilegrad search --help``): a text
chooses a group's option, a ``Path`` is a file of one's own, a dict sets fields inside;
``overrides`` are texts as on the command line. Wrong ones raise ``TilegradError``, which names
the nearest.
"""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Callable, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any, overload

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict

from tilegrad.complaints import describe
from tilegrad.composing import composed
from tilegrad.entry import BAD_INPUT_ERRORS
from tilegrad.errors import ConfigError, TilegradError
from tilegrad.files import read_json
from tilegrad.front_runs import FRONT, FRONTS, FrontRun
from tilegrad.networks_list import named
from tilegrad.runs import Run, SearchRun, TrainedRun

if TYPE_CHECKING:
    from typing import TypeAlias

    import pandas as pd
    from torch import nn

    Network: TypeAlias = str | PathLike[str] | nn.Module

QUIET = {"progress": False}


@overload
def search(
    workload: Network | Sequence[Network] = ...,
    inputs: Any = ...,
    *,
    front: None = ...,
    overrides: Sequence[str] = ...,
    **settings: Any,
) -> SearchRun: ...


@overload
def search(
    workload: Network | Sequence[Network] = ...,
    inputs: Any = ...,
    *,
    front: Sequence[str],
    overrides: Sequence[str] = ...,
    **settings: Any,
) -> FrontRun: ...


def search(
    workload: Network | Sequence[Network] = "resnet50",
    inputs: Any = None,
    *,
    front: Sequence[str] | None = None,
    overrides: Sequence[str] = (),
    **settings: Any,
) -> SearchRun | FrontRun:
    """Search hardware and mappings, as ``tilegrad search`` does.

    ``workload`` may be a ``torch.nn.Module``: then ``inputs`` are examples of its inputs, a
    tensor, a tuple of them or a dict by name; it is read by ``torch.export``. A list of texts,
    paths and modules are several networks on one hardware (``"NAME:OPTION"`` calls one otherwise);
    with modules among them ``inputs`` are a list too, None for the others.

    With ``front=["edp", "area_mm2"]`` it is a Pareto front that is searched and returned.

    Without ``dir`` the run's files are kept as long as the returned object; ``save`` keeps them.
    """
    if front is not None:
        settings["front"] = front
    listed = list(workload) if isinstance(workload, (list, tuple)) else None
    if all(isinstance(each, (str, PathLike)) for each in listed or [workload]):
        if inputs is not None:
            raise ConfigError(f"inputs are of a torch.nn.Module, and workload is {workload!r}")
        found = _ran("search", {"workload": workload, **settings}, overrides)
    elif listed is not None:
        found = _ran_together(listed, inputs, settings, overrides)
    else:
        found = _ran("search", settings, overrides, workload=_described(workload, inputs))
    assert isinstance(found, (SearchRun, FrontRun))
    return found


def _ran_together(
    networks: Sequence[object], inputs: Any, settings: Mapping[str, Any], overrides: Sequence[str]
) -> Run:
    """Run a search of several networks, modules among them, in their order."""
    if not isinstance(inputs, (list, tuple)) or len(inputs) != len(networks):
        raise ConfigError(
            f"inputs of {len(networks)} networks have to be a list, one item for each; legal: None "
            "where a network is no torch.nn.Module"
        )
    texts = [fspath(each) for each in networks if isinstance(each, (str, PathLike))]
    names = [
        named(fspath(each))[0] if isinstance(each, (str, PathLike)) else type(each).__name__
        for each in networks
    ]
    if len(set(names)) < len(names):
        raise ConfigError(
            f"two of the networks {', '.join(names)} have one name; legal: NAME:OPTION"
        )
    described = {
        name: _described(each, given)
        for name, each, given in zip(names, networks, inputs, strict=True)
        if not isinstance(each, (str, PathLike))
    }

    def join(config: DictConfig) -> None:
        known = {**config.workload.networks, **described}
        with open_dict(config):
            config.workload.networks = {name: known[name] for name in names}

    return _ran("search", {"workload": texts or "several", **settings}, overrides, join)


def _described(module: object, inputs: Any) -> dict[str, Any]:
    """Return the config's group ``workload`` for a module in hand."""
    from torch import nn

    from tilegrad.networks.exported.load import from_module
    from tilegrad.record.described import describe_workload

    if not isinstance(module, nn.Module):
        raise ConfigError(
            f"workload is a {type(module).__name__}; legal: a text, a path, a list of these, or a "
            "torch.nn.Module"
        )
    return describe_workload(from_module(module, inputs))


def train(*, overrides: Sequence[str] = (), **settings: Any) -> TrainedRun:
    """Train and test a predictor, as ``tilegrad train`` does; ``dir`` as in ``search``."""
    found = _ran("train", settings, overrides)
    assert isinstance(found, TrainedRun)
    return found


def evaluate(
    table: str | PathLike[str],
    accelerator: str | PathLike[str] = "gemmini",
    *,
    skip_invalid: bool = False,
) -> pd.DataFrame:
    """Return cycles, energy [uJ] and EDP of each row of a table, as ``tilegrad evaluate`` does.

    ``table`` is a file, or ``"timeloop_dosa"``.
    """
    import pandas as pd

    from tilegrad.accelerator import load_accelerator
    from tilegrad.evaluate import evaluate_table
    from tilegrad.evaluate.located import located_table

    with TemporaryDirectory(prefix="tilegrad-") as place:
        out = Path(place) / "costs.parquet"
        described = load_accelerator(str(accelerator))
        evaluate_table(located_table(table), described, out, skip_invalid=skip_invalid)
        return pd.read_parquet(out)


def load(directory: str | PathLike[str]) -> SearchRun | TrainedRun | FrontRun:
    """Return the search, front or training that a directory holds."""
    path = Path(directory)
    if any((path / name).exists() for name in (FRONT, FRONTS)):
        return FrontRun(path, reader=_search_in)
    if "metrics" in (found := read_json(path / "result.json")):
        return TrainedRun(path, result=found)
    return _search_in(path)


def _search_in(path: Path) -> SearchRun:
    from tilegrad.accelerator.limited import with_bandwidth
    from tilegrad.record import read_result

    config = OmegaConf.load(path / "config.yaml")
    accelerator = with_bandwidth(instantiate(config.accelerator), config.caps)
    return SearchRun(path, result=read_result(path), accelerator=accelerator)


def _ran(
    name: str,
    settings: Mapping[str, Any],
    overrides: Sequence[str],
    change: Callable[[DictConfig], None] = lambda _: None,
    **groups: Mapping[str, Any],
) -> Run:
    """Run a command's function and return its run.

    ``groups`` take the place of the config's, and ``change`` does what else is to be done to it.
    """
    config = composed(name, {**QUIET, **settings}, overrides)
    for group, fields in groups.items():
        config[group] = OmegaConf.create(dict(fields))
    change(config)
    kept = config.dir is not None
    if not kept:
        config.dir = mkdtemp(prefix="tilegrad-")
    directory = Path(str(config.dir))
    try:
        _command(name, config)
        run = load(directory)
    except BaseException as error:
        if not kept:
            shutil.rmtree(directory, ignore_errors=True)
        if isinstance(error, BAD_INPUT_ERRORS) and not isinstance(error, TilegradError):
            raise ConfigError(describe(error)) from error
        raise
    if not kept:
        weakref.finalize(run, shutil.rmtree, directory, ignore_errors=True)
    return run


def _command(name: str, config: DictConfig) -> None:
    import torch

    from tilegrad.commands import search, train

    commands: dict[str, Callable[[DictConfig], Any]]
    commands = {"search": search.search, "train": train.train}
    threads = torch.get_num_threads()
    try:
        if name == "search" and config.front is not None:
            _search_front(config)
        else:
            commands[name](config)
    finally:
        torch.set_num_threads(threads)


def _search_front(config: DictConfig) -> None:
    if config.over is None:
        from tilegrad.commands.front import search_front

        search_front(config)
    else:
        from tilegrad.commands.fronts import search_fronts

        search_fronts(config)

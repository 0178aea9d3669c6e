"""From a composed config to a training run; everything is checked here."""

from __future__ import annotations

from inspect import signature
from pathlib import Path

from hydra.errors import InstantiationException
from hydra.utils import get_class, instantiate
from lightning_fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig, open_dict
from pytorch_lightning import seed_everything

from tilegrad.accelerator import accelerator_digest
from tilegrad.checks import flag, known_fields, positive_int
from tilegrad.complaints import unknown_argument
from tilegrad.datamodules import ScheduleDataModule
from tilegrad.errors import ConfigError
from tilegrad.files import check_writable
from tilegrad.fingerprint.claim import TRAINING, check_directory, run_directory
from tilegrad.predictors import Predictor
from tilegrad.predictors.checkpoint import load_predictor
from tilegrad.predictors.closed_form import ClosedForm
from tilegrad.predictors.registry import check_rebuilds
from tilegrad.pretrained import checkpoint_path
from tilegrad.tracking.quiet import quiet_lightning
from tilegrad.training.run import TrainingRun
from tilegrad.training.settings import check_settings, without_validation

FIELDS = (
    "accelerator", "hardware", "caps", "workload", "data", "split", "model", "trainer", "callbacks",
    "logger", "log", "name", "features", "targets", "seed", "dir", "ckpt", "refit", "keep_folds",
    "importances", "plots", "progress", "threads", "optimized_metric", "fold", "transfer",
)  # fmt: skip
"""The fields of ``conf/train.yaml``."""

HIDDEN = ("_target_", "_partial_")

FLAGS = ("refit", "keep_folds", "importances", "plots", "progress")

LARGEST_SEED = 2**32 - 1
"""The largest that NumPy's generator takes."""


def build_run(config: DictConfig) -> TrainingRun:
    """Instantiate and check what ``conf/train.yaml`` describes, and load the data; write nothing.

    Raises ``TilegradError`` subclasses naming the field, its value and what is legal.
    """
    known_fields("", config, FIELDS)
    check_settings(config)
    remarks = without_validation(config)
    positive_int("threads", config.threads)
    positive_int("trainer.max_epochs", config.trainer.max_epochs)
    for name in FLAGS:
        flag(name, config[name])
    if positive_int("seed", config.seed, least=0) > LARGEST_SEED:
        raise ConfigError(f"seed is {config.seed}; legal: an integer from 0 to {LARGEST_SEED}")
    with open_dict(config):
        config.features = config.features or best_features(config)
        config.name = config.name or run_name(config)
    seed_everything(config.seed, workers=True, verbose=False)
    if config.dir:
        check_writable("dir", Path(str(config.dir)))
    data: ScheduleDataModule = instantiate(config.data)
    data.load()
    _check_model(config, data)
    meanings = {"accelerator": accelerator_digest(data.accelerator), "data": data.digest}
    fingerprint = TRAINING.fingerprint(config, meanings)
    directory = run_directory(config, lambda: fingerprint.directory("train", config.name))
    with open_dict(config):
        config.dir = str(directory)
    check_directory(directory, fingerprint)
    return TrainingRun(config, data, directory, fingerprint, remarks)


def _check_model(config: DictConfig, data: ScheduleDataModule) -> None:
    """Refuse what training would stumble over, before anything is written."""
    known_fields("model", (n for n in config.model if n not in HIDDEN), _settings(config))
    model: Predictor = instantiate(config.model)(schema=data.schema)
    check_rebuilds(model)
    model.descent(steps=1000)
    try:
        with quiet_lightning():
            instantiate(config.trainer, logger=False, enable_checkpointing=False)
    except InstantiationException as error:
        if isinstance(error.__cause__, (MisconfigurationException, ValueError, TypeError)):
            text = unknown_argument(error) or f"trainer: {error.__cause__}"
            raise ConfigError(text) from error
        raise
    if not data.folds and not config.refit:
        raise ConfigError("split=none and refit=false leave nothing to train; choose another split")
    if config.transfer and not config.refit:
        raise ConfigError(
            "transfer tests the refitted model, and refit=false leaves none; "
            "legal: refit=true, or transfer=null"
        )
    if config.ckpt:
        _check_checkpoint(config.ckpt, model, data)


def _settings(config: DictConfig) -> list[str]:
    """Return the fields that the config's model takes."""
    found = {**signature(_predictor(config)).parameters, **signature(Predictor).parameters}
    return [name for name in found if name not in ("schema", "settings", "training")]


def _check_checkpoint(ckpt: object, model: Predictor, data: ScheduleDataModule) -> None:
    """Refuse a checkpoint whose weights this training cannot begin with."""
    if data.folds:
        raise ConfigError(
            f"ckpt={ckpt} may have been trained on rows that the {len(data.folds)} folds test; "
            "legal with split=none alone, which tests nothing (dir= goes on with a run)"
        )
    if isinstance(model, ClosedForm):
        raise ConfigError(
            f"ckpt={ckpt} would change nothing: model {model.kind} is fitted to its rows at once; "
            "legal for models that are trained by descent"
        )
    found = load_predictor(checkpoint_path(ckpt), data.accelerator)
    for name in ("kind", "settings"):
        there, here = getattr(found, name), getattr(model, name)
        if there != here:
            raise ConfigError(f"ckpt={ckpt} has the model {name} {there}, this run {here}")
    for name in ("features", "targets"):
        there, here = getattr(found.schema, name), getattr(model.schema, name)
        if there != here:
            raise ConfigError(f"ckpt={ckpt} has the {name} {there}, this run {here}")


def best_features(config: DictConfig) -> str:
    """Return the feature set that the config's model reads best."""
    return _predictor(config).reads


def run_name(config: DictConfig) -> str:
    """Return a name after data, model, features and split."""
    data = source_name(config)
    split = config.split._target_.rpartition(".")[-1]
    return f"{data}-{_predictor(config).kind}-{config.features}-{split}"


def source_name(config: DictConfig) -> str:
    """Return what the config's source calls itself, or the name of its class."""
    source = config.data.source
    return str(source.get("name") or source._target_.rpartition(".")[-1])


def _predictor(config: DictConfig) -> type[Predictor]:
    found = get_class(config.model._target_)
    if not issubclass(found, Predictor):
        raise ConfigError(f"model._target_ is {config.model._target_}; legal: a Predictor")
    if not isinstance(getattr(found, "kind", None), str):
        raise ConfigError(
            f"model._target_ is {config.model._target_}, which has no name; legal: a Predictor "
            "with the class attribute kind, a text"
        )
    return found

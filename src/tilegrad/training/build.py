"""From a composed config to a training run; everything is checked here."""

from __future__ import annotations

from hydra.utils import get_class, instantiate
from lightning import seed_everything
from omegaconf import DictConfig, OmegaConf, open_dict

from tilegrad.datamodules import ScheduleDataModule
from tilegrad.errors import ConfigError
from tilegrad.files import write_text
from tilegrad.predictors import Predictor
from tilegrad.search.checks import positive_int
from tilegrad.training.directory import CONFIG, run_directory
from tilegrad.training.run import TrainingRun


def build_run(config: DictConfig) -> TrainingRun:
    """Instantiate and check what ``conf/train.yaml`` describes, load the data, save the config.

    Raises ``TilegradError`` subclasses naming the field, its value and what is legal.
    """
    with open_dict(config):
        config.features = config.features or best_features(config)
        config.name = config.name or run_name(config)
    seed_everything(positive_int("seed", config.seed, least=0), workers=True, verbose=False)
    directory = run_directory(config)
    with open_dict(config):
        config.dir = str(directory)
    data: ScheduleDataModule = instantiate(config.data)
    data.load()
    if len(data.folds) != 0 and config.ckpt_path:
        raise ConfigError(
            f"ckpt_path={config.ckpt_path} goes on with one training, and the split "
            f"makes {len(data.folds)}; choose split=none, or dir= of the run to go on with"
        )
    # A model that does not fit the features is refused before anything is written.
    instantiate(config.model)(schema=data.schema)
    directory.mkdir(parents=True, exist_ok=True)
    write_text(directory / CONFIG, OmegaConf.to_yaml(config, resolve=True))
    return TrainingRun(config, data, directory)


def best_features(config: DictConfig) -> str:
    """Return the feature set that the config's model reads best."""
    return _predictor(config).reads


def run_name(config: DictConfig) -> str:
    """Return a name after data, model, features and split."""
    source = config.data.source
    data = source.get("name") or source._target_.rpartition(".")[-1]
    split = config.split._target_.rpartition(".")[-1]
    return f"{data}-{_predictor(config).kind}-{config.features}-{split}"


def _predictor(config: DictConfig) -> type[Predictor]:
    found = get_class(config.model._target_)
    if not issubclass(found, Predictor):
        raise ConfigError(f"model._target_ is {config.model._target_}; legal: a Predictor")
    return found

"""Settings that Lightning would accept, or stumble over in the middle of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, open_dict

from tilegrad.checks import choice, no_searched_hardware, positive_int, positive_number
from tilegrad.errors import ConfigError

MONITORED = ("val/loss", "val/log_error", "train/loss")
"""What callbacks can look at."""

SEVERAL = "a run trains on one device: jobs of a sweep (-m, hydra/launcher=ray) take several"


def check_settings(config: DictConfig) -> None:
    """Refuse a source, a number of devices or callbacks that no training can have.

    Raises ``ConfigError`` naming the field, its value and what is legal.
    """
    check_source(config)
    _check_devices(config.trainer)
    if config.trainer.get("gradient_clip_val") is not None:
        positive_number("trainer.gradient_clip_val", config.trainer.gradient_clip_val)
    if config.trainer.get("max_steps", -1) != -1:
        raise ConfigError(
            f"trainer.max_steps is {config.trainer.max_steps!r}; legal: whole epochs, "
            "trainer.max_epochs, as a training is tested and saved after each"
        )
    for name, callback in (config.callbacks or {}).items():
        if not callback:
            continue
        if callback.get("monitor") is not None:
            choice(f"callbacks.{name}.monitor", callback.monitor, MONITORED)
            # Of errors and losses, the least is the best.
            choice(f"callbacks.{name}.mode", callback.get("mode", "min"), ("min",))
        if "every_n_epochs" in callback:
            positive_int(f"callbacks.{name}.every_n_epochs", callback.every_n_epochs)
        if "patience" in callback:
            positive_int(f"callbacks.{name}.patience", callback.patience, least=0)


def without_validation(config: DictConfig) -> tuple[str, ...]:
    """Let callbacks do without validation rows where there are none; return what that changes.

    Raises ``ConfigError`` where rows are held out and never looked at.
    """
    held_out = config.data.get("validation", 0)
    if held_out and config.trainer.get("limit_val_batches", 1.0) == 0:
        raise ConfigError(
            f"trainer.limit_val_batches is 0, and data.validation={held_out} holds out rows that "
            "it never looks at; legal: data.validation=0"
        )
    if held_out:
        return ()
    with open_dict(config):
        config.trainer.limit_val_batches = 0
    watching = {
        name: callback
        for name, callback in (config.callbacks or {}).items()
        if callback and str(callback.get("monitor")).startswith("val/")
    }
    for name, callback in watching.items():
        if "patience" in callback:
            config.callbacks[name] = None
        else:
            callback.monitor = None
    said = "data.validation=0: nothing stops a training early, its last epoch is kept"
    return (said,) if watching else ()


def check_source(config: DictConfig) -> None:
    """Refuse data without a source, and hardware that the data would not have."""
    chosen = HydraConfig.get().overrides.task if HydraConfig.initialized() else []
    no_searched_hardware(chosen, "data.source.hardware")
    source = config.data.get("source")
    if not isinstance(source, Mapping) or not source.get("_target_"):
        raise ConfigError(
            f"data.source is {source!r}; legal: a source with its _target_, as data=OPTION or "
            "data=FILE choose one"
        )


def _check_devices(trainer: DictConfig) -> None:
    """Refuse several devices: a run's folds, files and progress belong to one process."""
    devices, strategy = trainer.get("devices", 1), trainer.get("strategy", "auto")
    one = isinstance(devices, Sequence) and not isinstance(devices, str) and len(devices) == 1
    if not one and (devices != 1 or isinstance(devices, bool)):
        raise ConfigError(
            f"trainer.devices is {devices!r}; legal: 1, or [NUMBER] of the one to use; {SEVERAL}"
        )
    if trainer.get("num_nodes", 1) != 1:
        raise ConfigError(f"trainer.num_nodes is {trainer.num_nodes!r}; legal: 1; {SEVERAL}")
    if strategy != "auto" and not isinstance(strategy, Mapping):
        raise ConfigError(
            f"trainer.strategy is {strategy!r}; legal: auto, or the _target_ of one for a single "
            f"device; {SEVERAL}"
        )

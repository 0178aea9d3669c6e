"""Weights & Biases without an account, a question or a connection, unless there is an account."""

from __future__ import annotations

import os
from typing import Any

from pytorch_lightning.loggers import WandbLogger
from requests.utils import get_netrc_auth

from tilegrad.errors import ConfigError

SERVICE = "https://api.wandb.ai"
MODES = {"online": False, "shared": False, "offline": True, "dryrun": True}
"""Modes of ``WANDB_MODE`` that keep a run, and whether it stays on this machine."""


def wandb_logger(offline: bool | None = None, **settings: Any) -> WandbLogger:
    """Return a logger for Weights & Biases that never asks for an account.

    ``offline`` None: as ``WANDB_MODE`` says, else offline unless this user is logged in. Raises
    ``ConfigError`` where it is to be online without an account.
    """
    mode = os.environ.get("WANDB_MODE", "")
    if mode == "disabled":
        return WandbLogger(offline=False, **settings)
    if offline is None:
        offline = MODES.get(mode, not logged_in())
    if not offline and not logged_in():
        raise ConfigError(
            "logger=wandb is to be online (logger.wandb.offline=false or WANDB_MODE), and no "
            "account is known; legal: logger.wandb.offline=true, or `wandb login` before"
        )
    return WandbLogger(offline=offline, **settings)


def logged_in() -> bool:
    """Return whether ``wandb login`` or ``WANDB_API_KEY`` gave an account."""
    service = os.environ.get("WANDB_BASE_URL", SERVICE)
    return bool(os.environ.get("WANDB_API_KEY")) or get_netrc_auth(service) is not None

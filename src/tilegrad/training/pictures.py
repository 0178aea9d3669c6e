"""The pictures of tested predictions: which there are, and their files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from tilegrad.training.error_plots import calibration_curve, errors_by_bottleneck
from tilegrad.training.plots import predicted_against_measured, save_figure


def write_pictures(
    directory: Path, predictions: pd.DataFrame, title: str, metrics: Mapping[str, Mapping[str, Any]]
) -> None:
    """Write a picture of each target's predictions, and of what else the model knows of them.

    ``predictions`` as ``test_table`` makes them; ``metrics`` by target.
    """
    for target, measured in metrics.items():
        pictures = {"predicted": predicted_against_measured(predictions, target, title, measured)}
        if f"level.{target}" in predictions:
            pictures["calibration"] = calibration_curve(predictions, target, title)
        if "bottleneck" in predictions:
            pictures["bottlenecks"] = errors_by_bottleneck(predictions, target, title)
        for name, figure in pictures.items():
            save_figure(figure, directory / f"{name}_{target}.png")

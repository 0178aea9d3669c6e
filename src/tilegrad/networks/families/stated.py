"""``workload=llama3_8b`` and its like: a model by its parameters, and how it is used."""

from __future__ import annotations

from typing import Protocol

from tilegrad.checks import choice
from tilegrad.networks.families.parts import Parts, Use, check_sizes
from tilegrad.networks.operators.contraction import SECOND, STATIONARY
from tilegrad.workload import Workload


class LanguageModel(Protocol):
    """What is computed for tokens, in phases."""

    def build(self, use: Use, parts: Parts) -> None:
        """Add the layers of one use."""
        ...


class ImageNetwork(Protocol):
    """What is computed for images, square ones of so many pixels a side."""

    def build(self, image: int, batch: int, parts: Parts) -> None:
        """Add the layers for a batch of images."""
        ...


def language_model(
    name: str,
    model: LanguageModel,
    phase: str,
    context: int,
    batch: int = 1,
    stationary: str = SECOND,
) -> Workload:
    """Return a language model's layers in a phase (``parts.Use``); raises ``WorkloadError``."""
    parts = Parts(choice("workload.stationary", stationary, STATIONARY))
    model.build(Use(phase, context, batch), parts)
    return parts.tally.workload(name, parts.notes)


def image_network(
    name: str, model: ImageNetwork, image: int, batch: int = 1, stationary: str = SECOND
) -> Workload:
    """Return the layers of a network for ``batch`` images; raises ``WorkloadError``."""
    parts = Parts(choice("workload.stationary", stationary, STATIONARY))
    check_sizes("workload", image=image, batch=batch)
    model.build(image, batch, parts)
    return parts.tally.workload(name, parts.notes)

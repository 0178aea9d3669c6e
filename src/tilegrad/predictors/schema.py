"""What a predictor reads and writes, and for which accelerator: part of its checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tilegrad.accelerator import Accelerator, accelerator_digest
from tilegrad.errors import ConfigError, unknown
from tilegrad.predictors.features import feature_set

TARGETS = {"latency": "cycles", "energy": "uJ", "edp": "uJ*cycles"}
"""What can be predicted, and its unit."""


@dataclass(frozen=True)
class Schema:
    """Names of the feature set, its columns and the targets; the accelerator and its digest."""

    features: str
    columns: tuple[str, ...]
    targets: tuple[str, ...]
    accelerator: str
    digest: str

    @classmethod
    def of(cls, features: str, accelerator: Accelerator, targets: Sequence[str]) -> Schema:
        """Return the schema; ``ConfigError`` names a feature set or target that does not exist."""
        columns = tuple(column.name for column in feature_set(features).schema(accelerator))
        name, digest = accelerator.name, accelerator_digest(accelerator)
        return cls(features, columns, checked_targets(targets), name, digest)

    def places(self, group: str) -> list[int]:
        """Return the places of the columns whose name begins with ``group.``.

        Raises ``ConfigError`` where the feature set has none.
        """
        found = [i for i, name in enumerate(self.columns) if name.startswith(f"{group}.")]
        if not found:
            groups = dict.fromkeys(name.split(".")[0] for name in self.columns)
            raise ConfigError(
                f"features={self.features} has no columns {group}.*, which this model reads "
                f"(there are {', '.join(groups)}); choose another features="
            )
        return found

    def latency_alone(self, model: str) -> None:
        """Refuse other targets, for a model that predicts nothing else."""
        if self.targets != ("latency",):
            raise ConfigError(
                f"model {model} predicts targets=[latency], not {list(self.targets)}; "
                "choose targets=[latency]"
            )

    def plain(self) -> dict[str, Any]:
        """Return the schema as a checkpoint holds it."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def read(cls, plain: dict[str, Any]) -> Schema:
        """Return the schema that ``plain`` made."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in plain.items()
        }
        return cls(**fields)


def checked_targets(given: Sequence[str] | str | None) -> tuple[str, ...]:
    """Return the targets, each once; ``ConfigError`` where one does not exist or none is given."""
    targets = [given] if isinstance(given, str) else list(given or ())
    for target in targets:
        if target not in TARGETS:
            raise ConfigError(unknown("target", target, TARGETS, "targets"))
    if not targets or len(set(targets)) < len(targets):
        raise ConfigError(
            f"targets is {targets}; legal: one or more of {', '.join(TARGETS)}, each once"
        )
    return tuple(targets)

"""Finished runs in Python: tables, pictures, files to keep, designs to take elsewhere."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tilegrad.checks import choice
from tilegrad.files import make_directory

if TYPE_CHECKING:
    import pandas as pd

    from tilegrad.accelerator import Accelerator
    from tilegrad.record import Result

TARGETS = ("timeloop", "gemmini")


@dataclass(frozen=True)
class Run:
    """A run and the directory of its files."""

    directory: Path

    @property
    def plots(self) -> dict[str, bytes]:
        """The run's pictures (PNG) by name."""
        return {path.stem: path.read_bytes() for path in sorted(self.directory.glob("*.png"))}

    def save(self, directory: str | PathLike[str]) -> Path:
        """Copy all files of the run to a directory, new or not; return it."""
        path = Path(directory)
        make_directory("dir", path)
        shutil.copytree(self.directory, path, dirs_exist_ok=True)
        return path

    def _pictures(self) -> str:
        encoded = (base64.b64encode(png).decode() for png in self.plots.values())
        return "".join(f'<img src="data:image/png;base64,{text}">' for text in encoded)


@dataclass(frozen=True)
class SearchRun(Run):
    """A search: ``result`` is what result.json holds."""

    result: Result = field(kw_only=True, repr=False)
    accelerator: Accelerator = field(kw_only=True, repr=False)

    @cached_property
    def summary(self) -> pd.Series[Any]:
        """Figures of the network: EDP [uJ*cycles], energy [uJ], cycles, area, hardware."""
        import pandas as pd

        found = self.result.as_json()
        plain = {name: value for name, value in found.items() if isinstance(value, (int, float))}
        return pd.Series({**plain, **found["hardware"]}, name=str(found["workload"]))

    @cached_property
    def layers(self) -> pd.DataFrame:
        """A row per layer: mapping, energy [uJ] and cycles of one execution."""
        import pandas as pd

        return pd.DataFrame(self.result.as_json()["layers"])

    @cached_property
    def networks(self) -> pd.DataFrame:
        """A row per network of several on one hardware, with its price; else none."""
        import pandas as pd

        return pd.DataFrame(self.result.as_json().get("networks", []))

    @cached_property
    def history(self) -> pd.DataFrame:
        """The best design after each improvement."""
        import pandas as pd

        return pd.read_csv(self.directory / "history.csv")

    def export(
        self, target: str, directory: str | PathLike[str], dialect: str | None = None
    ) -> Path:
        """Write the design as another tool's input (timeloop, gemmini); return the directory."""
        from tilegrad.targets.gemmini import export_gemmini
        from tilegrad.targets.timeloop import export_result

        path = Path(directory)
        if choice("target", target, TARGETS) == "timeloop":
            export_result(self.directory, self.accelerator, dialect or "0.3", path)
        else:
            export_gemmini(self.directory, self.accelerator, path)
        return path

    def _repr_html_(self) -> str:
        return self.summary.to_frame().to_html() + self.layers.to_html() + self._pictures()


@dataclass(frozen=True)
class TrainedRun(Run):
    """A training: ``result`` is what result.json holds."""

    result: Mapping[str, Any] = field(kw_only=True, repr=False)

    @property
    def checkpoint(self) -> Path:
        """The predictor, for ``tilegrad.search(ckpt=...)``."""
        return self.directory / "model.ckpt"

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """A row per target, a column per metric."""
        import pandas as pd

        return pd.DataFrame(self.result["metrics"]).T

    def _repr_html_(self) -> str:
        return self.metrics.to_html() + self._pictures()

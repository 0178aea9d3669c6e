"""A random forest, kept as tensors, so that nothing is pickled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from tilegrad.checks import positive_int, positive_number
from tilegrad.errors import ConfigError
from tilegrad.predictors.closed_form import ClosedForm
from tilegrad.predictors.schema import Schema
from tilegrad.predictors.trees import Grown, Growth, grow

_ROWS_AT_ONCE = 4096


class Forest(ClosedForm):
    """``trees`` regression trees of at most ``depth`` splits; 1000 of depth 10 as in the poster.

    ``max_features`` is the share of the columns that a split chooses among (a third: Breiman's
    advice for regression), ``tree_rows`` how many rows a tree draws, with replacement, where there
    are more. ``workers``: threads, null for one per processor; the fit does not depend on it.
    """

    kind = "forest"
    differentiable: ClassVar[bool] = False

    split_column: Tensor
    split_at: Tensor
    below: Tensor
    above: Tensor
    value: Tensor
    roots: Tensor
    impurity_decrease: Tensor

    def __init__(
        self,
        schema: Schema,
        trees: int = 1000,
        depth: int = 10,
        max_features: float = 1 / 3,
        tree_rows: int = 16_384,
        seed: int = 0,
        workers: int | None = None,
        **training: Any,
    ) -> None:
        positive_int("model.trees", trees)
        positive_int("model.depth", depth)
        positive_int("model.tree_rows", tree_rows)
        if positive_number("model.max_features", max_features) > 1:
            raise ConfigError(f"model.max_features is {max_features}; legal: a share, at most 1")
        if workers is not None:
            positive_int("model.workers", workers)
        settings = {
            "trees": trees,
            "depth": depth,
            "max_features": max_features,
            "tree_rows": tree_rows,
            "seed": seed,
        }
        super().__init__(schema, settings, **training)
        self._workers = workers
        for name in ("split_column", "below", "above", "roots"):
            self.register_buffer(name, torch.zeros(0, dtype=torch.int32))
        self.register_buffer("split_at", torch.zeros(0))
        self.register_buffer("value", torch.zeros(0, len(schema.targets)))
        self.register_buffer("impurity_decrease", torch.zeros(len(schema.columns)))
        self.register_load_state_dict_pre_hook(_make_room)

    def standardised(self, features: Tensor) -> Tensor:
        """Return standardised log targets ``[..., target]``, the mean over the trees."""
        flat = features.reshape(-1, features.shape[-1])
        found = [self._walk(rows) for rows in flat.split(_ROWS_AT_ONCE)]
        targets = len(self.schema.targets)
        empty = features.new_empty(0, targets)
        return torch.cat([empty, *found]).reshape(*features.shape[:-1], targets)

    def _walk(self, features: Tensor) -> Tensor:
        """Go down all trees at once; a leaf's children are itself."""
        features = features.float()
        place = torch.arange(len(features), device=features.device).unsqueeze(-1)
        node = self.roots.expand(len(features), -1)
        for _ in range(self.settings["depth"]):
            left = features[place, self.split_column[node]] <= self.split_at[node]
            node = torch.where(left, self.below[node], self.above[node])
        return self.value[node].mean(1)

    def fit_rows(self, features: Tensor, log_targets: Tensor) -> None:
        """Grow the forest and keep its trees."""
        columns = max(1, int(self.settings["max_features"] * features.shape[1]))
        growth = Growth(
            self.settings["trees"],
            self.settings["depth"],
            columns,
            self.settings["tree_rows"],
            self.settings["seed"],
        )
        seen, targets = features.float().cpu().numpy(), log_targets.cpu().numpy()
        self._keep(grow(seen, targets, growth, self._workers))
        self.to(features.device)

    def _keep(self, trees: Sequence[Grown]) -> None:
        sizes = [len(tree.column) for tree in trees]
        roots = np.cumsum([0, *sizes[:-1]])
        start = np.repeat(roots, sizes)
        columns = np.concatenate([tree.column for tree in trees]).clip(0)
        self.split_column = torch.from_numpy(columns.astype(np.int32))
        self.split_at = _rounded_down(np.concatenate([tree.at for tree in trees]))
        self.below, self.above = (
            torch.from_numpy((np.concatenate(children) + start).astype(np.int32))
            for children in ([tree.below for tree in trees], [tree.above for tree in trees])
        )
        means = np.concatenate([tree.means for tree in trees])
        self.value = torch.from_numpy(means.astype(np.float32))
        self.roots = torch.from_numpy(roots.astype(np.int32))
        decrease = np.mean([tree.decrease for tree in trees], 0)
        self.impurity_decrease.copy_(torch.from_numpy(decrease))

    def importances(self) -> dict[str, dict[str, float]]:
        """Return the mean decrease in impurity, which sums to 1."""
        shares = self.impurity_decrease.tolist()
        return {"mdi": dict(zip(self.schema.columns, shares, strict=True))}


def _rounded_down(thresholds: np.ndarray[Any, np.dtype[np.float64]]) -> Tensor:
    """Return float32 thresholds that part float32 features just as the float64 ones do."""
    rounded = thresholds.astype(np.float32)
    above = rounded.astype(np.float64) > thresholds
    return torch.from_numpy(np.where(above, np.nextafter(rounded, np.float32(-np.inf)), rounded))


def _make_room(module: Any, state: dict[str, Any], prefix: str, *_: object) -> None:
    """Size the trees' buffers as those about to be loaded."""
    for name in ("split_column", "split_at", "below", "above", "value", "roots"):
        saved = state.get(prefix + name)
        if saved is not None:
            setattr(module, name, torch.empty_like(saved))

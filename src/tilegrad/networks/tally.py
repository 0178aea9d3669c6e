"""Gathers the layers of a network and what is left out, into a workload."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tilegrad.errors import WorkloadError
from tilegrad.workload import Coverage, LeftOut, Problem, Workload
from tilegrad.workload.coverage import together


@dataclass
class Tally:
    """Layers and operators left out, as a network is walked."""

    layers: list[Problem] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    _named: dict[str, Problem] = field(default_factory=dict)

    def add(self, layers: Iterable[Problem]) -> None:
        """Take layers; one whose name another shape has is numbered."""
        for layer in layers:
            name, number = layer.name, 1
            while self._named.get(name, layer).signature != layer.signature:
                number += 1
                name = f"{layer.name}.{number}"
            named = replace(layer, name=name)
            self._named.setdefault(name, named)
            self.layers.append(named)

    def leave_out(
        self, operator: str, elements: int, reason: str, macs: int | None = 0, times: int = 1
    ) -> None:
        """Take an operator that is not mapped."""
        self.left_out.append(LeftOut(operator, times, elements, reason, macs))

    def workload(self, name: str, notes: Iterable[str] = (), graph: str | None = None) -> Workload:
        """Return all that was gathered; ``WorkloadError`` where no operator is mapped."""
        left_out = together(self.left_out)
        if not self.layers:
            others = ", ".join(each.operator for each in left_out) or "none"
            raise WorkloadError(
                f"{name}: no convolution and no product of two tensors is in it (its operators: "
                f"{others}); legal: a network with at least one"
            )
        macs = sum(layer.macs * layer.count for layer in self.layers)
        return Workload(name, tuple(self.layers), Coverage(macs, left_out, tuple(notes), graph))

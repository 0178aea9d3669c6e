"""What mappings ask of any hardware: analysed once, priced on many designs.

Energy is linear in the accesses and latency a maximum of ratios, so both follow for every hardware
point from a handful of sums per mapping. Without the rounding to whole blocks and cycles, which is
what makes it differentiable; ``layer_cost`` adds that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float64
from torch import Tensor

from tilegrad.accelerator import ACCESSES, Accelerator
from tilegrad.accelerator.expression import Value, tensor_of
from tilegrad.accelerator.level import PORTS
from tilegrad.cost.alike import alike
from tilegrad.cost.analytical import clusters, level_words
from tilegrad.cost.hardware import ratios, summed_logs
from tilegrad.nest import Nest


@dataclass(frozen=True)
class Footprint:
    """Sums per mapping, columns last.

    ``energy_words [..., 1 + level * access]``: MACs, then words over all clusters of each level;
    ``port_words [..., 1 + port]``: steps of the arithmetic, then words per instance at each port;
    ``needs [..., column]``: what is needed of each of ``Accelerator.columns``;
    ``excess [..., 1]``: the log of how far the mapping exceeds limits that no hardware changes;
    ``context [..., context]``: what a cost model reads beside these (mostly nothing).
    """

    energy_words: Float64[Tensor, "*#batch access"]
    port_words: Float64[Tensor, "*#batch port"]
    needs: Float64[Tensor, "*#batch column"]
    excess: Float64[Tensor, "*#batch 1"]
    context: Float64[Tensor, "*#batch context"]

    @property
    def parts(self) -> tuple[Tensor, ...]:
        """The tensors, in the order of the fields."""
        return (
            self.energy_words,
            self.port_words,
            self.needs,
            self.excess,
            self.context,
        )

    def __getitem__(self, index: Tensor | slice | int) -> Footprint:
        return Footprint(*(part[index] for part in self.parts))

    @cached_property
    def kinds(self) -> tuple[Tensor, Tensor]:
        """The first row of each distinct context, and each row's kind; see ``alike``."""
        return alike(self.context)

    def expand(self, *batch: int) -> Footprint:
        """Return the footprint with its leading dimensions broadcast to ``batch``."""
        return Footprint(*(part.expand(*batch, -1) for part in self.parts))


def concatenate_footprints(parts: list[Footprint]) -> Footprint:
    """Concatenate along the first dimension."""
    return Footprint(*map(torch.cat, zip(*(part.parts for part in parts), strict=True)))


def footprint(
    nest: Nest, accelerator: Accelerator, context: Float64[Tensor, "*batch context"] | None = None
) -> Footprint:
    """Return the footprint of every mapping of ``nest``; ``context`` is a cost model's."""
    energy, ports, found = _sums(nest, accelerator)
    over = torch.zeros_like(nest.macs) + summed_logs(found)
    return Footprint(
        _columns(energy),
        _columns(ports),
        _columns([column.need(nest) for column in accelerator.columns], nest.macs),
        _columns([over]),
        _columns([], nest.macs) if context is None else context,
    )


def before_logs(nest: Nest, accelerator: Accelerator) -> tuple[Tensor, ...]:
    """Return the parts of the footprint without context, but for the excess what it is made of.

    ``[..., 1 + constant]``: zeros, then the ratios to limits that no hardware changes.
    """
    energy, ports, found = _sums(nest, accelerator)
    return (
        _columns(energy),
        _columns(ports),
        _columns([column.need(nest) for column in accelerator.columns], nest.macs),
        _columns([torch.zeros_like(nest.macs), *found]),
        _columns([], nest.macs),
    )


def with_logs(parts: Sequence[Tensor]) -> Footprint:
    """Return the footprint of the parts ``before_logs``."""
    energy, ports, needs, found, context = parts
    nothing, *exceeding = found.unbind(-1)
    over = _columns([nothing + summed_logs(exceeding)])
    return Footprint(energy, ports, needs, over, context)


def _sums(nest: Nest, accelerator: Accelerator) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Return the columns of energy and ports, and the ratios to limits, ``[...]`` each."""
    energy, ports = [nest.macs], [nest.steps]
    for index, level in enumerate(accelerator.levels):
        used = clusters(nest, accelerator, index)
        energy += [level_words(nest, index, (k,)) * used for k in ACCESSES]
        ports += [level_words(nest, index, PORTS[port]) for port in level.bandwidth]
    return energy, ports, ratios(accelerator.constant, nest, {})


def energy_rates(
    accelerator: Accelerator, hardware: Mapping[str, Value], device: torch.device | None = None
) -> Float64[Tensor, "*point access"]:
    """Return pJ per word for each column of ``Footprint.energy_words``, on its ``device``."""
    rates: list[Value] = [accelerator.arithmetic.energy_pj]
    for level in accelerator.levels:
        rates += accelerator.access_pj(level, hardware).values()
    return _values(rates, device)


def port_widths(
    accelerator: Accelerator, hardware: Mapping[str, Value], device: torch.device | None = None
) -> Float64[Tensor, "*point port"]:
    """Return words per cycle for each column of ``Footprint.port_words``, on its ``device``."""
    widths: list[Value] = [1.0]
    for level in accelerator.levels:
        widths += [width(hardware) for width in level.bandwidth.values()]
    return _values(widths, device)


def energy_pj(
    sums: Footprint, accelerator: Accelerator, hardware: Mapping[str, Value]
) -> Float64[Tensor, "*batch"]:
    """Return the energy ``[...]`` on hardware whose values broadcast with the batch."""
    rates = energy_rates(accelerator, hardware, sums.energy_words.device)
    return (sums.energy_words * rates).sum(-1)


def cycles(
    sums: Footprint, accelerator: Accelerator, hardware: Mapping[str, Value]
) -> Float64[Tensor, "*batch"]:
    """Return the latency ``[...]`` on hardware whose values broadcast with the batch."""
    widths = port_widths(accelerator, hardware, sums.port_words.device)
    return (sums.port_words / widths).amax(-1)


def _values(each: list[Value], device: torch.device | None) -> Tensor:
    return _columns([tensor_of(value, device) for value in each])


def _columns(columns: list[Tensor], like: Tensor | None = None) -> Tensor:
    """Stack along a last dimension; no columns at all take their shape from ``like``."""
    if not columns and like is not None:
        return like.new_empty(*like.shape, 0)
    return torch.stack(torch.broadcast_tensors(*columns), -1)

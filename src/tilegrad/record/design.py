"""The part of a record that says what to build and how to run the layers on it."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from tilegrad.record.shapes import CONV_ALONE, LayerShape, Sizes, read_stated
from tilegrad.record.values import Number, Part, Size, Text
from tilegrad.workload import Problem


class LayerDesign(Part):
    """One layer and its mapping as shorthand; fields that others add are passed over."""

    model_config = ConfigDict(extra="ignore", json_schema_extra=CONV_ALONE)

    name: Text
    count: Size = Field(1, description="how often the network executes the layer")
    shape: LayerShape | None = Field(
        None,
        description="what the layer computes: a packaged shape, or dims, tensors and "
        "coefficients; without it a convolution",
    )
    sizes: Sizes = Field(alias="problem", description="bounds, strides and dilations by name")
    mapping: Text = Field(description="the loop nest, from the outermost level inwards")
    call: Text | None = Field(
        None,
        description="of a machine's library with its tile, which is what runs; the mapping, of as "
        "many tiles, then stands for its accesses",
    )

    @property
    def problem(self) -> Problem:
        """The layer as the analysis takes it."""
        return Problem.from_fields(self.name, self.sizes, self.count, shape=read_stated(self.shape))


class DesignRecord(Part):
    """An accelerator by name, its hardware and the layers' mappings: all that targets need.

    Whoever writes such a file by hand may leave out what it costs.
    """

    model_config = ConfigDict(extra="ignore")

    workload: Text = "network"
    accelerator: Text
    hardware: dict[str, Number] = Field(description="the accelerator's parameters, in its units")
    layers: tuple[LayerDesign, ...] = Field(min_length=1)

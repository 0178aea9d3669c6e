"""The whole record of a search: its design, what that costs, and how it was found."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import ConfigDict, Field, model_validator

from tilegrad.cost.hardware import ARITHMETIC
from tilegrad.record.covered import Covered
from tilegrad.record.design import DesignRecord, LayerDesign
from tilegrad.record.values import Number, Part, Real, Size, Text

FORMAT: Literal[1] = 1
"""Goes up when a field changes its meaning or is gone; a new one that may be absent does not."""

_ENDS = ("cycles_low", "cycles_high", "edp_low", "edp_high")


class Outside(Part):
    """A feature of a layer that lies outside the range of a checkpoint's training data."""

    feature: Text
    unit: Text
    value: Real
    lowest: Real
    highest: Real


class Interval(NamedTuple):
    """Ends of the network's EDP [uJ*cycles] and cycles; of a ``level`` from 0 to 1."""

    level: float
    edp: tuple[float, float]
    cycles: tuple[float, float]


class Predicted(Part):
    """EDP [uJ*cycles] and cycles of the network by a checkpoint; ``level`` is of the intervals."""

    model: Text
    edp: Number
    cycles: Number
    level: Number | None = None
    cycles_low: Number | None = None
    cycles_high: Number | None = None
    edp_low: Number | None = None
    edp_high: Number | None = None

    @model_validator(mode="after")
    def _whole(self) -> Predicted:
        """Refuse a level without all ends of the intervals."""
        for name in _ENDS if self.level is not None else ():
            if getattr(self, name) is None:
                self.refuse(name, None, "a finite number >= 0, as there is a level")
        return self

    @property
    def interval(self) -> Interval | None:
        """The interval of the network's figures; None where the checkpoint has none."""
        if self.level is None:
            return None
        *cycles, low, high = (float(getattr(self, name)) for name in _ENDS)
        return Interval(self.level, (low, high), (cycles[0], cycles[1]))


class MeasuredTotal(Part):
    """EDP [uJ*cycles] and cycles of the network as measured; how many ``programs`` were."""

    edp: Number
    cycles: Number
    programs: Size


class Variant(Part):
    """Another design beside the best one; ``made`` says how, in words."""

    name: Text
    made: Text
    hardware: dict[str, Number]
    edp: Number
    energy_uj: Number
    cycles: Number
    area_mm2: Number


class LayerResult(LayerDesign):
    """One layer of the best design; energy and cycles are of one execution.

    The keys of ``energy_by_part_uj`` and ``cycles_by_part`` are ``arithmetic`` and the levels'
    names; ``bottleneck`` is one of them. What is predicted is of a search by a checkpoint.
    """

    model_config = ConfigDict(extra="forbid")

    names: tuple[Text, ...] = Field((), description="of the equal layers that this one stands for")
    energy_uj: Number
    cycles: Number
    pe_utilisation: Number | None = Field(
        None, description="MACs of the most that the cycles allow"
    )
    bottleneck: Text
    energy_by_part_uj: dict[str, Number]
    cycles_by_part: dict[str, Number]
    predicted_interval: tuple[Number, Number] | None = None
    predicted_cycles: Number | None = None
    measured_cycles: Number | None = Field(
        None, description="of one execution on the machine: warm or cold, as the machine is stated"
    )
    measured_cold_cycles: Number | None = Field(
        None, description="with nothing of it in the caches"
    )
    measured_warm_cycles: Number | None = Field(
        None, description="when the same program ran before"
    )
    outside_training_range: tuple[Outside, ...] = ()

    @model_validator(mode="after")
    def _bottleneck_is_a_part(self) -> LayerResult:
        if self.bottleneck not in self.cycles_by_part:
            self.refuse("bottleneck", self.bottleneck, ", ".join(self.cycles_by_part))
        return self

    @property
    def total_energy_uj(self) -> float:
        """Energy of all executions."""
        return self.count * self.energy_uj

    @property
    def total_cycles(self) -> float:
        """Cycles of all executions."""
        return self.count * self.cycles


class OwnResult(Part):
    """What a network has on hardware of its own, by a search with the same settings."""

    edp: Number
    energy_uj: Number
    cycles: Number
    area_mm2: Number
    hardware: dict[str, Number]
    gap: Number | None = Field(None, description="as of the whole")
    status: Literal["complete", "budget", "interrupted"]


class NetworkResult(Part):
    """One of several networks on the hardware that they share; ``layers``: how many are its own.

    Energy in uJ, latency in cycles, EDP in uJ*cycles, all executions of its layers.
    """

    name: Text
    weight: Number
    layers: Size
    edp: Number
    energy_uj: Number
    cycles: Number
    price: Number | None = Field(
        None, description="the network's objective, in terms of that on hardware of its own"
    )
    own: OwnResult | None = None


class Provenance(Part):
    """What went on with a search: versions, the checkout's revision, the run's fingerprint."""

    versions: dict[str, str]
    git: str | None
    fingerprint: Text


class Result(DesignRecord):
    """The best design of a run: totals over all executions of all layers, and how it was found.

    Energy in uJ, latency in cycles, area in mm², EDP in uJ*cycles, time in seconds.
    """

    model_config = ConfigDict(extra="forbid", title="result.json of a tilegrad search")

    format: Literal[1] = FORMAT
    edp: Number
    energy_uj: Number
    cycles: Number
    area_mm2: Number
    objective: Text
    workload: Text
    clock_mhz: Number | None = Field(None, description="of the accelerator, where it has one")
    at_cap: tuple[Text, ...] = Field((), description="parameters and figures that a cap holds back")
    layers: tuple[LayerResult, ...] = Field(min_length=1)
    networks: tuple[NetworkResult, ...] = Field(
        (), description="where several share the hardware; their layers are called NETWORK.LAYER"
    )
    rule: Literal["sum", "geomean", "worst"] | None = Field(
        None, description="what was minimised of the networks' objectives"
    )
    value: Number | None = Field(
        None, description="what the rule makes of them; of the worst, a multiple of the own best"
    )
    coverage: Covered | None = Field(
        None, description="what became of the network's operators, where it was read from a model"
    )
    predicted: Predicted | None = None
    measured: MeasuredTotal | None = Field(
        None, description="of the network, where all of its layers were measured"
    )
    gap: Number | None = Field(
        None, description="how far above the optimum the objective is at most, as a share"
    )
    bound: Number | None = Field(
        None,
        description="no design of the mapspace has a lower objective: proven, in the units of the "
        "objective's figures above",
    )
    unproven: Text | None = Field(None, description="why there is no bound, where one was sought")
    baselines: tuple[Variant, ...] = Field((), description="what the design is to be seen beside")
    sensitivity: tuple[Variant, ...] = Field((), description="each parameter halved and doubled")
    warnings: tuple[Text, ...] = Field((), description="what to know before trusting the figures")
    samples: Number
    seconds: Number
    seed: Annotated[int, Field(strict=True)]
    strategy: Text
    status: Literal["complete", "budget", "interrupted"]
    versions: dict[str, str]
    git: str | None
    fingerprint: Text | None = Field(None, description="of the settings and files that were read")
    made_by: tuple[Provenance, ...] = Field(
        (), description="all that went on with the search, the last of them as above"
    )

    @model_validator(mode="after")
    def _networks_agree(self) -> Result:
        """Refuse networks that have more or fewer layers than there are."""
        had, there = sum(int(each.layers) for each in self.networks), len(self.layers)
        if self.networks and had != there:
            self.refuse("networks", had, f"networks of the {there} layers that there are")
        return self

    @model_validator(mode="after")
    def _parts_agree(self) -> Result:
        """Refuse layers whose parts differ from those of the first one."""
        parts = self.layers[0].energy_by_part_uj.keys()
        for index, layer in enumerate(self.layers):
            for name in ("energy_by_part_uj", "cycles_by_part"):
                found = getattr(layer, name)
                if found.keys() != parts:
                    self.refuse(
                        f"layers[{index}].{name}", found, f"numbers named {', '.join(parts)}"
                    )
        return self

    @property
    def parts(self) -> tuple[str, ...]:
        """The arithmetic, if it is named, then the levels in the order of the file."""
        return tuple(sorted(self.layers[0].energy_by_part_uj, key=lambda part: part != ARITHMETIC))

    @property
    def bound_by(self) -> dict[str, float]:
        """The share of the network's cycles that each part sets the pace of, largest first."""
        cycles = dict.fromkeys(self.parts, 0.0)
        for layer in self.layers:
            cycles[layer.bottleneck] += layer.total_cycles
        total = sum(cycles.values()) or 1.0
        shares = {part: spent / total for part, spent in cycles.items() if spent}
        return dict(sorted(shares.items(), key=lambda share: -share[1]))

    def as_json(self) -> dict[str, Any]:
        """Return what ``parse_result`` reads, without the fields that nobody set."""
        return self.model_dump(exclude_unset=True)

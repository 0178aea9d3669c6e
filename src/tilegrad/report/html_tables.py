"""The tables of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tilegrad.accelerator import Accelerator, Level
from tilegrad.dims import DIMS
from tilegrad.record import LayerResult, Result
from tilegrad.report.engineering import counted, joules, kilobytes, typeset
from tilegrad.report.summary import share
from tilegrad.report.tags import Markup, element, joined
from tilegrad.report.training_range import HEADINGS, outside_rows

_NUMBERS = frozenset(
    {
        *("count", "energy", "cycles", "of energy", "of cycles", "predicted cycles"),
        *("word bits", "size", "instances", *HEADINGS[2:5]),
    }
)


def facts(values: Mapping[str, str]) -> Markup:
    """Return a table of one name and one text per row."""
    rows = (
        element("tr", element("th", name, scope="row"), element("td", text))
        for name, text in values.items()
    )
    return element("table", element("tbody", *rows))


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    classes = ["number" if heading in _NUMBERS else "text" for heading in headings]
    top = (
        element("th", heading, scope="col", class_=kind)
        for heading, kind in zip(headings, classes, strict=True)
    )
    lines = (
        element(
            "tr",
            *(element("td", cell, class_=kind) for cell, kind in zip(row, classes, strict=True)),
        )
        for row in rows
    )
    table = element("table", element("thead", element("tr", *top)), element("tbody", *lines))
    return element("div", table, class_="wide")


def layers(result: Result) -> Markup:
    """Return the table of the layers' mappings and costs."""
    headings = ["layer", "count", "mapping", "energy", "of energy", "cycles", "of cycles"]
    if result.predicted:
        headings.append("predicted cycles")
    energy = sum(layer.total_energy_uj for layer in result.layers)
    latency = sum(layer.total_cycles for layer in result.layers)
    rows = [(*_layer_cells(layer, energy, latency), layer.bottleneck) for layer in result.layers]
    note = "Energy and cycles of one execution; shares of the network, all executions together."
    return joined(element("p", note, class_="note"), _table((*headings, "bottleneck"), rows))


def _layer_cells(layer: LayerResult, energy: float, latency: float) -> tuple[str, ...]:
    return (
        layer.name,
        str(layer.count),
        element("code", layer.mapping),
        typeset(joules(layer.energy_uj)),
        share(layer.total_energy_uj, energy),
        counted(layer.cycles),
        share(layer.total_cycles, latency),
        *([] if layer.predicted_cycles is None else [counted(layer.predicted_cycles)]),
    )


def training_range(result: Result) -> Markup:
    """Return the features outside the checkpoint's training range, layer by layer."""
    rows = outside_rows(result)
    if not rows:
        return element("p", "Every feature of every layer lies inside the training range.")
    note = "Predictions of these layers are guesses: nothing like them was in the training data."
    return joined(element("p", note, class_="note"), _table(HEADINGS, rows))


def levels(accelerator: Accelerator, hardware: Mapping[str, float]) -> Markup:
    """Return the table of the accelerator's levels, the outermost first, on the hardware found."""
    headings = ("level", "keeps", "kind", "word bits", "instances", "size", "spatial loops")
    rows = [_level_cells(level, hardware) for level in reversed(accelerator.levels)]
    return _table(headings, rows)


def _level_cells(level: Level, hardware: Mapping[str, float]) -> tuple[str, ...]:
    return (
        level.name,
        ", ".join(level.keeps),
        level.kind,
        str(level.word_bits),
        f"{float(level.instances(hardware)):,.0f}",
        _size(level, hardware),
        "; ".join(
            f"{axis}: {', '.join(DIMS[dim] for dim in fanout.dims)} "
            f"(up to {float(fanout.width(hardware)):,.0f})"
            for axis, fanout in level.fanout.items()
        ),
    )


def _size(level: Level, hardware: Mapping[str, float]) -> str:
    if level.capacity_kb is not None:
        return f"{kilobytes(1024 * float(level.capacity_kb(hardware)))} in all"
    if level.capacity_words is not None:
        return f"{kilobytes(level.capacity_words * level.bytes_per_word)} each"
    return "unlimited"

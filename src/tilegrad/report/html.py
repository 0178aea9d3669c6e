"""The whole run on one page that needs no other file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from tilegrad.accelerator import Accelerator
from tilegrad.record import LayerResult, Result
from tilegrad.report.engineering import typeset
from tilegrad.report.html_tables import facts, layers, levels, training_range
from tilegrad.report.summary import summary_rows
from tilegrad.report.tags import Markup, element

_STYLE = Markup("""
:root { color-scheme: light dark; --line: #d0d0d0; --faint: #666; --shade: #f4f4f4; }
@media (prefers-color-scheme: dark) { :root { --line: #444; --faint: #aaa; --shade: #222; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.75rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; }
code, pre { font: 0.85rem/1.45 ui-monospace, monospace; }
td code { white-space: normal; }
pre { overflow-x: auto; padding: 0.75rem; background: var(--shade); }
img { max-width: 100%; background: white; }
figure { margin: 1rem 0; }
figcaption, .note { color: var(--faint); }
summary { cursor: pointer; }
.wide { overflow-x: auto; }
""")


def html_report(
    result: Result,
    accelerator: Accelerator,
    pictures: Mapping[str, bytes],
    loop_nests: Sequence[str],
) -> str:
    """Return the page; ``pictures`` are PNGs by caption, ``loop_nests`` one text per layer."""
    title = f"{result.workload} on {result.accelerator}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", _STYLE),
    )
    body = element(
        "body",
        element("h1", title),
        facts({name: typeset(text) for name, text in summary_rows(result).items()}),
        _section("Pictures", *(_picture(*item) for item in pictures.items())),
        _section("Layers", layers(result)),
        *([_section("Training range", training_range(result))] if result.predicted else []),
        _section("Loop nests", *map(_loop_nest, result.layers, loop_nests)),
        _section(
            "Configuration", facts(_configuration(result)), levels(accelerator, result.hardware)
        ),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _section(title: str, *content: Markup) -> Markup:
    return element("section", element("h2", title), *content)


def _picture(caption: str, png: bytes) -> Markup:
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    image = element("img", src=source, alt=caption)
    return element("figure", image, element("figcaption", caption))


def _loop_nest(layer: LayerResult, text: str) -> Markup:
    return element("details", element("summary", layer.name), element("pre", text))


def _configuration(result: Result) -> dict[str, str]:
    names = ("workload", "accelerator", "strategy", "objective", "seed", "versions", "git")
    return {name: _plain(getattr(result, name)) for name in names}


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(inner)}" for name, inner in value.items())
    return "none" if value is None else str(value)

"""Markdown reference of the Hydra configs, made of their own comments."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

CONF = Path(__file__).parents[2] / "conf"
COMMANDS = sorted(path.stem for path in CONF.glob("*.yaml"))
_INTERNAL = {"defaults", "hydra"}
_KEY = re.compile(r"(?P<key>\w+):\s*(?P<value>.*)")
_OVERRIDE = re.compile(r"override\s+|\$|^/|@.*$")


class Field(NamedTuple):
    """A top-level key of a config: its text and the comments above it."""

    key: str
    value: str
    comment: str


def groups() -> dict[str, list[Path]]:
    """Return the options' files of every group, by the group's name."""
    files = sorted(path for path in CONF.rglob("*.yaml") if path.parent != CONF)
    found: dict[str, list[Path]] = {}
    for path in files:
        found.setdefault(path.parent.relative_to(CONF).as_posix(), []).append(path)
    return found


def fields(text: str) -> tuple[str, list[Field]]:
    """Return a config's opening comment and its top-level keys."""
    opening: list[str] = []
    comments: list[str] = []
    found: list[Field] = []
    for line in text.splitlines():
        if line.startswith("#"):
            comments.append(line.lstrip("# ").rstrip())
        elif (match := _KEY.match(line)) is not None:
            if not found and not opening:
                opening, comments = comments, []
            found.append(Field(match["key"], match["value"], " ".join(comments)))
            comments = []
    spoken = [line for line in opening or comments if not line.startswith("@package")]
    return " ".join(spoken), found


def command_page(name: str) -> str:
    """Return the page of a command's config: its groups with their defaults, and its fields."""
    text = (CONF / f"{name}.yaml").read_text()
    about, found = fields(text)
    lines = [
        f"# tilegrad {name}",
        "",
        about,
        "",
        "## Groups",
        "",
        "| group | default |",
        "|---|---|",
    ]
    known = groups()
    for group, option in defaults(name).items():
        if group in known:
            lines.append(f"| [`{group}`]({group}.md) | `{option}` |")
    lines += ["", "## Fields", "", "| field | default | what |", "|---|---|---|"]
    for field in found:
        if field.key not in _INTERNAL:
            lines.append(f"| `{field.key}` | `{field.value}` | {_cell(field.comment)} |")
    return "\n".join([*lines, ""])


def group_page(group: str, options: list[Path]) -> str:
    """Return the page of a group: who chooses it, and every option as it is written."""
    users = [
        f"[`{name}`]({'../' * group.count('/')}{name}.md) (default `{defaults(name)[group]}`)"
        for name in COMMANDS
        if group in defaults(name)
    ]
    title = f"# {group}"
    used = f"Chosen by {', '.join(users)}." if users else "Chosen within other groups."
    table = ["| option | what |", "|---|---|"]
    sections: list[str] = []
    for path in options:
        text = path.read_text()
        about, _ = fields(text)
        table.append(f"| [`{group}={path.stem}`](#{path.stem}) | {_cell(about)} |")
        sections += [f"## {path.stem}", "", "```yaml", text.rstrip(), "```", ""]
    return "\n".join([title, "", used, "", *table, "", *sections])


def defaults(name: str) -> dict[str, str]:
    """Return the groups in a command's defaults list, each with the option that it takes."""
    chosen: dict[str, str] = {}
    for entry in yaml.safe_load((CONF / f"{name}.yaml").read_text()).get("defaults", []):
        if isinstance(entry, dict):
            ((group, option),) = entry.items()
            chosen[_OVERRIDE.sub("", group)] = _shown(option)
    return chosen


def _shown(option: Any) -> str:
    return "null" if option is None else str(option)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

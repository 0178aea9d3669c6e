"""The parts of the site that are generated: configs, API, and pages kept outside docs/."""

from __future__ import annotations

import re
from pathlib import Path

import configs
import links
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "tilegrad"
CONFIGS, API = "reference/config", "reference/api"
ELSEWHERE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "src/tilegrad/pretrained/gemmini_rtl.md": "gemmini_rtl.md",
    "tests/data/README.md": "tests_data.md",
    "tests/data/timeloop_golden/README.md": "timeloop_golden.md",
    "tests/data/timeloop_golden/RULES.md": "timeloop_golden_rules.md",
    "tests/data/gemmini_verilator/README.md": "gemmini_verilator.md",
    "tests/data/gemmini_calls/README.md": "gemmini_calls.md",
}
"""Pages of the site that the repository keeps beside what they are about."""

_ALL = re.compile(r"^__all__\b", re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the generated pages into the navigation, at the end of the section Reference."""
    assert config.nav is not None
    (reference,) = (entry["Reference"] for entry in config.nav if "Reference" in entry)
    reference += [
        {"Fields of the commands": [f"{CONFIGS}/{name}.md" for name in configs.COMMANDS]},
        {"Config groups": [f"{CONFIGS}/{group}.md" for group in configs.groups()]},
        {"Python": [f"{API}/{module}.md" for module in public_modules()]},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for source, page in ELSEWHERE.items():
        _add(files, config, page, (ROOT / source).read_text())
    for name in configs.COMMANDS:
        _add(files, config, f"{CONFIGS}/{name}.md", configs.command_page(name))
    for group, options in configs.groups().items():
        _add(files, config, f"{CONFIGS}/{group}.md", configs.group_page(group, options))
    for module in public_modules():
        _add(files, config, f"{API}/{module}.md", f"# {module}\n\n::: {module}\n")
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Make the links of pages that are also read in the repository hold on the site."""
    shown = page.file.src_uri
    written = {page: source for source, page in ELSEWHERE.items()}.get(shown, f"docs/{shown}")
    if shown.startswith("reference/"):
        return markdown
    pages = {f"docs/{file.src_uri}": file.src_uri for file in files} | ELSEWHERE
    return links.site_links(markdown, written, shown, pages)


def public_modules() -> list[str]:
    """Return the packages that say what is public in them, by ``__all__``."""
    inits = sorted(PACKAGE.rglob("__init__.py"))
    public = [path.parent for path in inits if _ALL.search(path.read_text())]
    return [".".join(path.relative_to(PACKAGE.parent).parts) for path in public]


def _add(files: Files, config: MkDocsConfig, uri: str, content: str) -> None:
    files.append(File.generated(config, uri, content=content))

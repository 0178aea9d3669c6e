"""Fronts over technology node, clock or bandwidth: one for each value, in one picture."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig, open_dict
from rich.console import Console

from tilegrad.commands.front import FrontSearch, front_directory
from tilegrad.front.over import Fronts, read_over
from tilegrad.report.fronts import fronts_table, write_fronts
from tilegrad.report.terminal import print_whole


def search_fronts(config: DictConfig) -> tuple[Fronts, Path]:
    """Search the front of each value of ``over``; write one table, picture and page of all.

    Everything is checked before the first search begins, and the same command goes on with an
    interrupted one. Raises as ``search_front``.
    """
    over, directory = read_over(config.over), front_directory(config)
    searches = []
    for value in over.values:
        own = over.config(config, value)
        with open_dict(own):
            own.dir = str(directory / over.place(value))
        searches.append(FrontSearch.of(own))
    fronts = Fronts(over, tuple(each.run() for each in searches))
    write_fronts(fronts, directory)
    return fronts, directory


def print_fronts(fronts: Fronts, directory: Path) -> None:
    """Print a row for each value, and where the files are."""
    console = Console()
    print_whole(console, fronts_table(fronts))
    console.print(f"saved in {directory}", soft_wrap=True, highlight=False)

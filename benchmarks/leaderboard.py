"""Strategies by networks and machines; ``python benchmarks/leaderboard.py`` writes the page.

Each search is a command of its own in a directory of its own: the same command goes on where one
was interrupted, and ``--jobs`` of them run at once, or as many as a Ray cluster takes (``--ray``).
Processor seconds are user and system time, start-up included. BERT, the default, takes about half
an hour of one processor by one seed; networks of more layers take much longer.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leaderboard_page import EXACT, Outcome, head, table

from tilegrad.errors import OutputError, TilegradError
from tilegrad.files import make_directory, write_text
from tilegrad.spread import InProcesses, OnRay

FREE, GEMMINI = "Gemmini, free sizes", "Gemmini 16 x 16"

MACHINES = {
    FREE: (),
    GEMMINI: ("hardware=default",),
    "Eyeriss": ("accelerator=eyeriss",),
    "Simba": ("accelerator=simba",),
    "NVDLA large": ("accelerator=nvdla_large",),
}

SETTINGS = {
    "dosa, rate 3e-4": ("strategy=dosa", "strategy.learning_rate=3e-4"),
}
"""Rows at other settings, which docs/dosa.md compares."""

STRATEGIES = (
    *(EXACT, "gradient", "evolution", "cosa", "dosa", "dosa, rate 3e-4"),
    *("bayesian", "bayesian_one_loop", "latin", "random", "gemmini_library"),
)

LIBRARY = "gemmini_library"
GIVEN_SIZES = ("cosa", LIBRARY)
"""Strategies that map for given sizes alone."""

SEEDLESS = (EXACT, *GIVEN_SIZES)
"""Strategies that draw nothing."""

NONE_FITS = "no feasible design"
"""What a search says that ends without one."""

RAY = {"include_dashboard": False}
"""Of a cluster on this machine, where none is there."""

INTERRUPTED = 130
"""How a search ends that Ctrl-C stopped: it goes on."""

SHARED = ("padding=none", "bound=none", "report=false", "progress=false", "logger=none")

SEARCH = """
import json, resource, sys
from tilegrad.cli import main
status = main(["search", *sys.argv[1:]])
spent = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps(spent.ru_utime + spent.ru_stime))
sys.exit(status)
"""


@dataclass(frozen=True)
class Run:
    """One search, in its directory."""

    network: str
    machine: str
    strategy: str
    seed: int
    directory: Path

    @property
    def spent(self) -> Path:
        """Where the seconds are noted."""
        return self.directory.parent / f"{self.directory.name}.seconds.json"

    @property
    def arguments(self) -> list[str]:
        """What the command is given, beside its directory."""
        strategy = SETTINGS.get(self.strategy, (f"strategy={self.strategy}",))
        own = (f"workload={self.network}", *strategy, f"seed={self.seed}")
        return [*own, *MACHINES[self.machine], *SHARED]

    @property
    def name(self) -> str:
        """What the search is called."""
        return f"{self.strategy} on {Path(self.network).stem}, {self.machine}, seed {self.seed}"

    def finish(self) -> None:
        """Search to the end, unless an earlier command did; note the processor's seconds.

        Of a search that was killed they are lost: what its going on takes is noted as a part.
        """
        if self.done:
            return
        earlier = self.noted
        part = earlier.get("part", self.directory.exists())
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", SEARCH, *self.arguments, f"dir={self.directory}"]
        done = subprocess.run(command, capture_output=True, text=True)
        ended = not done.returncode or NONE_FITS in done.stderr
        if ended or done.returncode == INTERRUPTED:
            seconds = earlier.get("seconds", 0.0) + float(json.loads(done.stdout.splitlines()[-1]))
            noted = {"seconds": seconds, "part": part, "ended": ended, "arguments": self.arguments}
            self.spent.write_text(json.dumps(noted), encoding="utf-8")
        if not ended:
            raise OutputError(f"{' '.join(self.arguments)}: {done.stderr}")
        print(f"{self.name}: {seconds:.0f} s", flush=True)

    @property
    def noted(self) -> dict[str, Any]:
        """Return the processor seconds so far, whether they are a part, whether it ended.

        Raises ``OutputError`` where they are of a search by other arguments.
        """
        if not self.spent.exists():
            return {}
        found: dict[str, Any] = json.loads(self.spent.read_text(encoding="utf-8"))
        if found.get("arguments", self.arguments) != self.arguments:
            raise OutputError(
                f"{self.spent} is of {' '.join(found['arguments'])}, not of "
                f"{' '.join(self.arguments)}; delete it and {self.directory}, or give another --dir"
            )
        return found

    @property
    def done(self) -> bool:
        """Whether it was searched to its end."""
        return bool(self.noted.get("ended"))

    @property
    def outcome(self) -> Outcome | None:
        """What the search came to; None: it was not searched to its end."""
        noted = self.noted
        if not noted.get("ended"):
            return None
        spent = (noted["seconds"], noted["part"])
        place = self.directory / "result.json"
        if not place.exists():
            return Outcome(*spent)
        found = json.loads(place.read_text(encoding="utf-8"))
        return Outcome(*spent, found["edp"], found.get("bound"), found["samples"])


def runs(given: argparse.Namespace) -> Iterator[Run]:
    """Yield what there is to be searched."""
    for network in given.networks:
        for strategy in given.strategies:
            for machine in given.machines:
                foreign = strategy == LIBRARY and machine != GEMMINI
                if foreign or (machine == FREE and strategy in GIVEN_SIZES):
                    continue
                for seed in given.seeds[:1] if strategy in SEEDLESS else given.seeds:
                    own = f"{_file(strategy)}-{seed}"
                    place = given.dir / Path(network).stem / _file(machine) / own
                    yield Run(network, machine, strategy, seed, place)


def _file(name: str) -> str:
    return name.lower().replace(",", "").replace(" ", "_")


def page(given: argparse.Namespace, searched: Sequence[Run], command: Sequence[str]) -> str:
    """Return the page, of what was searched so far."""
    rows = {name: SETTINGS[name] for name in given.strategies if name in SETTINGS}
    columns = {name: MACHINES[name] for name in given.machines if MACHINES[name]}
    alike = [name for name in given.strategies if name in SEEDLESS]
    tables = []
    for network in given.networks:
        cells: dict[tuple[str, str], list[Outcome | None]] = {}
        for run in searched:
            if run.network == network:
                cells.setdefault((run.strategy, run.machine), []).append(run.outcome)
        tables.append(table(Path(network).stem, given.strategies, given.machines, cells))
    return "\n".join([head(shlex.join(command), given.seeds, rows, columns, alike), *tables])


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what the command is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=["bert"], help="names or layer tables")
    parser.add_argument(
        "--strategies", nargs="+", choices=STRATEGIES, default=STRATEGIES, metavar="STRATEGY",
        help=f"beside exact: {', '.join(map(repr, STRATEGIES[1:]))}",
    )  # fmt: skip
    parser.add_argument(
        "--machines", nargs="+", choices=MACHINES, default=[*MACHINES], metavar="MACHINE",
        help=", ".join(map(repr, MACHINES)),
    )  # fmt: skip
    parser.add_argument("--write", action="store_true", help="the page alone, of what was searched")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0], metavar="SEED", help="several: their means"
    )
    parser.add_argument("--jobs", type=int, default=1, help="at once; -1: a processor each")
    parser.add_argument("--ray", action="store_true", help="searches on a Ray cluster")
    parser.add_argument("--dir", type=Path, default=Path("outputs/leaderboard"))
    parser.add_argument("--page", type=Path, default=Path("docs/leaderboard.md"))
    given = parser.parse_args(arguments)
    given.strategies = list(dict.fromkeys([EXACT, *given.strategies]))
    given.seeds = list(dict.fromkeys(given.seeds))
    return given


def command(given: argparse.Namespace) -> list[str]:
    """Return the command that makes the page, less where its files are and how it is spread."""
    told = ["python", "benchmarks/leaderboard.py", *given.networks]
    if tuple(given.strategies) != STRATEGIES:
        told += ["--strategies", *given.strategies]
    if given.machines != [*MACHINES]:
        told += ["--machines", *given.machines]
    return [*told, "--seeds", *map(str, given.seeds)] if given.seeds != [0] else told


def main(arguments: Sequence[str]) -> None:
    """Search all there is to be searched, then write the page."""
    given = parsed(arguments)
    searched = list(runs(given))
    try:
        if not given.write:
            spread = OnRay(RAY) if given.ray else InProcesses(given.jobs)
            spread.map(Run.finish, searched)
        make_directory("page", given.page.parent)
        write_text(given.page, page(given, searched, command(given)))
    except TilegradError as error:
        raise SystemExit(str(error)) from None
    missing = [run.name for run in searched if not run.done]
    if missing:
        told = f"not searched yet, {len(missing)} of {len(searched)}: {'; '.join(missing)}"
        print(told, file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Strategies by networks and machines; ``python benchmarks/leaderboard.py`` writes the page.

Each search is a command of its own in a directory of its own: the same command goes on where one
was interrupted, and ``--jobs`` of them run at once, or as many as a Ray cluster takes (``--ray``).
Processor seconds are user and system time, start-up included.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilegrad.errors import OutputError, TilegradError
from tilegrad.spread import InProcesses, OnRay

MACHINES = {
    "Gemmini, free sizes": (),
    "Gemmini 16 x 16": ("hardware=default",),
    "Eyeriss": ("accelerator=eyeriss",),
}

STRATEGIES = (
    *("exact", "gradient", "evolution", "cosa", "dosa"),
    *("bayesian", "bayesian_one_loop", "latin", "random", "gemmini_library"),
)

GIVEN_SIZES, GEMMINIS = ("cosa", "gemmini_library"), ("gemmini_library",)
"""Strategies that map for given sizes, and for Gemmini's alone."""

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

PAGE = """# Leaderboard

`python benchmarks/leaderboard.py {arguments}`
wrote this page; it goes on where it was interrupted (`--jobs 2`: two searches at once by joblib,
`--ray`: as many as a Ray cluster has processors). Each
strategy with its defaults (`conf/strategy/`), seed {seed}, no budget; the network's EDP; factors
that divide their bounds (`padding=none`); `pe_dim` up to 128 where it is free. A cell: how far the
design lies above the proven bound of its column (`strategy=exact`, gap 0.1 %), the processor
seconds of its command, start-up included, in brackets how many thousand designs were evaluated.
Which settings were tried: [baselines.md](baselines.md).
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
    def arguments(self) -> tuple[str, ...]:
        """What the command is given."""
        own = (f"workload={self.network}", f"strategy={self.strategy}", f"seed={self.seed}")
        return (*own, *MACHINES[self.machine], *SHARED, f"dir={self.directory}")

    def finish(self) -> None:
        """Search to the end, unless an earlier command did; note the processor's seconds.

        Of a search that was killed they are lost: what its going on takes is noted as a part.
        """
        if self.done:
            return
        earlier = self.noted
        part = earlier.get("part", self.directory.exists())
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", SEARCH, *self.arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        ended = not done.returncode or NONE_FITS in done.stderr
        if ended or done.returncode == INTERRUPTED:
            seconds = earlier.get("seconds", 0.0) + float(json.loads(done.stdout.splitlines()[-1]))
            noted = {"seconds": seconds, "part": part, "ended": ended}
            self.spent.write_text(json.dumps(noted), encoding="utf-8")
        if not ended:
            raise OutputError(f"{' '.join(self.arguments)}: {done.stderr}")
        print(f"{self.strategy} on {self.network}, {self.machine}: {self.seconds}", flush=True)

    @property
    def noted(self) -> dict[str, Any]:
        """Return the processor seconds so far, whether they are a part, whether it ended."""
        if not self.spent.exists():
            return {}
        found: dict[str, Any] = json.loads(self.spent.read_text(encoding="utf-8"))
        return found

    @property
    def done(self) -> bool:
        """Whether it was searched to its end."""
        return bool(self.noted.get("ended"))

    @property
    def found_none(self) -> bool:
        """Whether none of the designs that it tried was feasible."""
        return not (self.directory / "result.json").exists()

    @property
    def result(self) -> dict[str, Any]:
        """Return what the search found."""
        found: dict[str, Any] = json.loads((self.directory / "result.json").read_text())
        return found

    @property
    def seconds(self) -> str:
        """Return the processor seconds that it took, as a text."""
        found = self.noted
        return f"{'over ' if found['part'] else ''}{found['seconds']:.0f} s"


def runs(
    networks: Sequence[str], strategies: Sequence[str], seed: int, directory: Path
) -> Iterator[Run]:
    """Yield what there is to be searched."""
    for network in networks:
        for strategy in strategies:
            for machine, arguments in MACHINES.items():
                free = not arguments
                foreign = machine == "Eyeriss" and strategy in GEMMINIS
                if foreign or (free and strategy in GIVEN_SIZES):
                    continue
                place = machine.lower().replace(",", "").replace(" ", "_")
                own = directory / network / place / f"{strategy}-{seed}"
                yield Run(network, machine, strategy, seed, own)


def table(network: str, searched: Sequence[Run]) -> str:
    """Return a network's table: a row for each strategy."""
    own = {(run.machine, run.strategy): run for run in searched if run.network == network}
    bounds = {machine: own[machine, "exact"].result["bound"] for machine in MACHINES}
    lines = [
        f"## {network}",
        "",
        f"| strategy | {' | '.join(MACHINES)} |",
        f"|---|{'---|' * len(MACHINES)}",
    ]
    for strategy in dict.fromkeys(run.strategy for run in searched):
        cells = []
        for machine, bound in bounds.items():
            run = own.get((machine, strategy))
            if run is None or not run.done:
                cells.append("" if run is None else "not run")
                continue
            if run.found_none:
                cells.append(f"no design fits, {run.seconds}")
                continue
            above = run.result["edp"] / bound - 1
            told = f"{above:.2%}" if above < 1 else f"{above + 1:.3g} x"
            cells.append(f"{told}, {run.seconds} ({run.result['samples'] / 1000:.3g})")
        lines.append(f"| `{strategy}` | {' | '.join(cells)} |")
    proven = ", ".join(f"{bound:.4g} ({machine})" for machine, bound in bounds.items())
    return "\n".join([*lines, "", f"No design's EDP is below, in uJ*cycles: {proven}.", ""])


def main() -> None:
    """Search all there is to be searched, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=["bert", "resnet50"])
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=STRATEGIES)
    parser.add_argument("--write", action="store_true", help="the page alone, of what was searched")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="at once; -1: a processor each")
    parser.add_argument("--ray", action="store_true", help="searches on a Ray cluster")
    parser.add_argument("--dir", type=Path, default=Path("outputs/leaderboard"))
    parser.add_argument("--page", type=Path, default=Path("docs/leaderboard.md"))
    given = parser.parse_args()
    strategies = list(dict.fromkeys(["exact", *given.strategies]))
    searched = list(runs(given.networks, strategies, given.seed, given.dir))
    if not given.write:
        spread = OnRay(RAY) if given.ray else InProcesses(given.jobs)
        try:
            spread.map(Run.finish, searched)
        except TilegradError as error:
            raise SystemExit(str(error)) from None
    arguments = " ".join(given.networks)
    if tuple(strategies) != STRATEGIES:
        arguments += f" --strategies {' '.join(strategies)}"
    if given.seed:
        arguments += f" --seed {given.seed}"
    page = PAGE.format(arguments=arguments, seed=given.seed)
    tables = [table(network, searched) for network in given.networks]
    given.page.write_text("\n".join([page, *tables]), encoding="utf-8")


if __name__ == "__main__":
    main()

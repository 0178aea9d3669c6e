"""Proven optima of the public networks on Gemmini: one line each, ``python benchmarks/proofs.py``.

Each is a command of its own, start-up included; processor seconds are user and system time.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

NETWORKS = (
    *("bert", "alexnet", "deepbench", "resnet50"),
    *("resnext50_32x4d", "retinanet", "vgg16", "unet"),
)

VARIANTS = {
    "edp": (),
    "pe_dim 16": ("caps.pe_dim=16",),
    "5 mm2": ("caps.area_mm2=5",),
    "latency": ("objective=latency",),
    "energy": ("objective=energy",),
    "area-delay": ("objective=area-delay",),
}

QUIET = ("progress=false", "report=false", "logger=none")

SEARCH = "from tilegrad.cli import main; import sys; main(['search', *sys.argv[1:]])"


def proven(arguments: tuple[str, ...]) -> str:
    """Return gap, seconds on the wall and of all processors of a search to its end."""
    with tempfile.TemporaryDirectory() as directory:
        run = Path(directory) / "run"
        command = [sys.executable, "-c", SEARCH, "strategy=exact", *QUIET, f"dir={run}"]
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
        subprocess.run([*command, *arguments], check=True, stdout=subprocess.DEVNULL)
        wall, after = perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return f"{result['gap']:9.4%} {wall:7.1f} {processor:7.1f}"


def main() -> None:
    """Print a line for each network and variant, or for those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=NETWORKS, help="all where none is named")
    parser.add_argument("--only", choices=VARIANTS, help="one variant")
    parser.add_argument("--with", dest="more", action="append", default=[], help="field=value")
    given = parser.parse_args()
    print(f"{'network':16} {'variant':10} {'gap':>9} {'wall s':>7} {'proc. s':>7}")
    for variant in [given.only] if given.only else VARIANTS:
        for network in given.networks:
            arguments = (f"workload={network}", *VARIANTS[variant], *given.more)
            print(f"{network:16} {variant:10} {proven(arguments)}", flush=True)


if __name__ == "__main__":
    main()

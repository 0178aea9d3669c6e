"""A wheel in an environment of its own: the commands from an empty directory, with own files."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.entry.test_own_files import printed

ROOT = Path(__file__).parents[1]

LAYERS = "layer,R,S,P,Q,C,K\nconv,3,3,8,8,4,8\nlinear,1,1,4,4,16,32\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of this checkout."""
    pytest.importorskip("hatchling", reason="needs hatchling: pip install 'tilegrad[dev]'")
    out = tmp_path_factory.mktemp("wheel")
    build = ["-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run([sys.executable, *build], cwd=ROOT, check=True, capture_output=True)
    (found,) = out.glob("*.whl")
    return found


def test_the_wheel_holds_the_configs_and_no_tests(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    there = {
        f"tilegrad/conf/{path.relative_to(ROOT / 'conf')}" for path in ROOT.glob("conf/**/*.yaml")
    }
    assert there <= names
    assert "tilegrad/report/__init__.pyi" in names
    tops = {name.partition("/")[0] for name in names}
    assert {"tilegrad", "hydra_plugins"} <= tops
    assert not tops & {"tests", "benchmarks", "conf"}


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel; the packages it needs are taken from this environment."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(place, symlinks=True)
    python = place / "bin" / "python"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    (packages,) = place.glob("lib/python*/site-packages")
    # Plain paths behind the wheel's own: an editable install's .pth files in there are not read.
    others = [path for path in (*site.getsitepackages(), *sys.path) if path.endswith("-packages")]
    (packages / "dependencies.pth").write_text("\n".join(dict.fromkeys(others)))
    return place / "bin" / "tilegrad"


def run(program: Path, directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command; nothing of the checkout is on its path."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return subprocess.run(
        [str(program), *arguments],
        cwd=directory,
        env=environment | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Make a directory with an accelerator, layers and options of one's own."""
    subprocess.run(["sh", "-c", printed()[0]], check=True, cwd=tmp_path)
    (tmp_path / "mine.csv").write_text(LAYERS)
    strategies = tmp_path / "own" / "strategy"
    strategies.mkdir(parents=True)
    (strategies / "brief.yaml").write_text(
        "_target_: tilegrad.search.RandomStrategy\ndesigns: 20\n"
    )
    return tmp_path


OWN = ("--config-dir", "own", "accelerator=two_level.yaml", "progress=false")


@pytest.mark.slow
def test_a_search_by_the_installed_command(program: Path, work: Path) -> None:
    python = program.with_name("python")
    where = subprocess.run(
        [python, "-c", "import tilegrad; print(tilegrad.__file__)"],
        cwd=work, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(program.parents[1]))
    ended = run(program, work, "search", *OWN, "workload=mine.csv", "strategy=brief", "dir=found")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert {"result.json", "report.html"} <= {path.name for path in (work / "found").iterdir()}


@pytest.mark.slow
def test_training_and_comparison_by_the_installed_command(program: Path, work: Path) -> None:
    few = ("workload=mine.csv", "data.source.machines=8", "model=linear", "split.count=2")
    ended = run(program, work, "train", *OWN, *few, "dir=learned")
    assert (ended.returncode, (work / "learned" / "model.ckpt").is_file()) == (0, True)
    (work / "designs.yaml").write_text(
        "designs: {mine: [accelerator=two_level.yaml], gemmini: [accelerator=gemmini]}\n"
        "reference: gemmini\nshared: [strategy=brief]\n"
    )
    given = ("--config-dir", "own", "designs=designs.yaml", "workloads=[mine.csv]", "dir=compared")
    ended = run(program, work, "compare", *given)
    assert (ended.returncode, (work / "compared" / "comparison.csv").is_file()) == (0, True)

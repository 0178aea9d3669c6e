"""Malformed input of train.py: exit code 2, one paragraph, nothing written."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.helpers_scripts import Case, Command, case
from tests.predictors.helpers import save, trained
from tests.training.conftest import MADE, QUICK, snapshot
from tilegrad.errors import ConfigError
from tilegrad.files import make_directory

NAMES = [
    case("model=mpl", "'mpl'", "nearest: mlp", "forest"),
    case("split=layers", "'layers'", "nearest: unseen_layers"),
    case("data=tabel", "'tabel'", "nearest: table"),
    case("features=analytic", "'analytic'", "nearest: analytical"),
    case("targets=[latancy]", "targets", "'latancy'", "nearest: latency"),
    case("targets=[]", "targets is []", "each once"),
    case("targets=[edp,edp]", "targets", "each once"),
    case("sed=1", "unknown field 'sed'", "nearest: seed"),
    case("+experimental=1", "unknown field 'experimental'", "optimized_metric"),
    case("model.widths=[3]", "model", "'widths'", "hidden"),
    case("+model.widths=[3]", "model", "'widths'", "hidden"),
    case("+trainer.epochs=3", "trainer", "'epochs'", "max_epochs"),
    case("optimized_metric=accuracy", "optimized_metric", "'accuracy'", "pair_accuracy_micro"),
]

VALUES = [
    case("seed=-1", "seed is -1", "from 0"),
    case("seed=4294967296", "seed is 4294967296", "to 4294967295"),
    case("threads=0", "threads is 0", "from 1"),
    case("refit=maybe", "refit is 'maybe'", "true, false"),
    case("progress=3", "progress is 3", "true, false"),
    case("trainer.max_epochs=0", "trainer.max_epochs is 0", "from 1"),
    case("trainer.accelerator=abacus", "trainer", "abacus"),
    case("data.batch_size=0", "data.batch_size is 0", "from 1"),
    case("data.validation=2", "data.validation is 2", "< 1"),
    case("split.count=7", "split.count is 7", "2 to 6", "layers"),
    case("split.count=0", "split.count is 0", "2 to 6"),
    case("split=four_to_one split.of=9 split.train=8", "split.of is 9", "have 5"),
    case("split=four_to_one split.train=3", "split.train is 3 of 5", "1 (pairs) or 4"),
    case("split=none refit=false", "nothing to train"),
    case("model.optimizer=null model.scheduler=null", "model.optimizer is null"),
    case("model.optimizer.lr=-1", "model.optimizer", "-1"),
    case("model.hidden=[8,0]", "model.hidden[1] is 0"),
    case("model.activation=rely", "'rely'", "nearest: relu"),
    case("model.loss.ranking=-1", "model.loss.ranking is -1"),
    case("model=forest model.trees=0", "model.trees is 0"),
    case("model=roofline features=raw", "features=raw", "roofline.*", "hardware"),
    case("model=reuse features=analytical", "features=analytical", "temporal.*"),
    case("model.optimizer.lr=fast", "model.optimizer", "lr='fast'"),
    case("model.scheduler.max_lr=-1", "model.scheduler", "of -0.04", "from 0"),
    case("callbacks.early_stopping.monitor=val/los", "'val/los'", "nearest: val/loss"),
    case("callbacks.early_stopping.patience=-1", "callbacks.early_stopping.patience is -1"),
    case("callbacks.early_stopping.mode=max", "callbacks.early_stopping.mode", "'max'", "min"),
    case("callbacks.checkpoint.mode=max", "callbacks.checkpoint", "'mode'", "monitor"),
    case("callbacks.state.every_n_epochs=0", "callbacks.state.every_n_epochs is 0", "from 1"),
    case("+trainer.limit_val_batches=0", "limit_val_batches is 0", "data.validation=0"),
    case("trainer.devices=5", "trainer.devices is 5", "legal: 1", "of a sweep"),
    case("trainer.devices=[1]", "trainer: `devices`", "CPUAccelerator"),
    case("+trainer.num_nodes=2", "trainer.num_nodes is 2", "legal: 1", "of a sweep"),
    case("+trainer.strategy=ddp", "trainer.strategy is 'ddp'", "legal: auto", "of a sweep"),
    case("data.source=null", "data.source is None", "data=FILE"),
    case("data=schedules data.source.hardware=5", "source.hardware is 5", "pe_dim"),
    case("caps.pe_dim=16", "caps.pe_dim=16 is of searches", "data.source.hardware"),
    case("+trainer.max_steps=3", "trainer.max_steps is 3", "trainer.max_epochs"),
    case("trainer.gradient_clip_val=-1", "trainer.gradient_clip_val is -1", "> 0"),
    case("targets=[latency", "'targets=[latency'", "brackets"),
    case("data=table", "data.source.path", "missing"),
    case("data=table data.source.path=absent.csv", "absent.csv"),
]

PLACES = [
    case("dir=a_file", "dir=a_file", "is a file"),
    case("dir=foreign", "foreign holds config.yaml without a fingerprint", "dir="),
    case("dir=broken", "broken/fingerprint.json", "cannot be read as JSON"),
    case("ckpt=linear.ckpt", "ckpt=linear.ckpt", "the 6 folds test", "split=none"),
    case("split=none ckpt=absent.ckpt", "absent.ckpt does not exist"),
    case("split=none ckpt=a_file", "a_file cannot be read as a checkpoint"),
    case("split=none ckpt=linear.ckpt", "model kind linear, this run mlp"),
    case("split=none model=linear ckpt=linear.ckpt", "would change nothing", "by descent"),
    case("split=none ckpt=mlp.ckpt", "targets ('latency', 'energy', 'edp'), this run ('latency',)"),
    case("split=none ckpt_path=mlp.ckpt", "unknown field 'ckpt_path'", "nearest: ckpt"),
]


@pytest.fixture(autouse=True)
def malformed_files(directory: Path) -> None:
    (directory / "a_file").write_text("layer,R\n")
    places = {"foreign/config.yaml": "strategy: {steps: 3}\n", "broken/fingerprint.json": "{\n"}
    for name, content in places.items():
        (directory / name).parent.mkdir()
        (directory / name).write_text(content)
    save(trained("linear"), directory / "linear.ckpt")
    poster = {"hidden": [64, 32, 16, 4], "activation": "relu"}
    save(trained("mlp", **poster), directory / "mlp.ckpt")


@pytest.mark.parametrize(
    "bad", [*NAMES, *VALUES, *PLACES], ids=lambda bad: bad.arguments.replace(" ", "+")
)
def test_bad_input_is_refused_in_one_paragraph(
    bad: Case, command: Command, directory: Path
) -> None:
    before = snapshot(directory)
    given = bad.arguments.split()
    made = MADE if not any(argument.startswith("data=") for argument in given) else ()
    count = () if any(a.startswith("split") for a in given) else ("split.count=6",)
    ended = command(*made, *count, *given)
    assert ended.code == 2
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    for name in bad.names:
        assert name in ended.err
    assert snapshot(directory) == before


def test_another_training_in_the_directory_is_refused_untouched(
    command: Command, directory: Path
) -> None:
    settings = (*QUICK, "model=linear", "dir=run")
    assert command(*settings).code == 0
    before = snapshot(directory)
    for change, where in (
        ("seed=7", "seed (0 there, 7 here)"),
        ("model.ridge=0.5", "model.ridge (1e-06 there, 0.5 here)"),
        ("trainer.max_epochs=9", "trainer.max_epochs (3 there, 9 here)"),
    ):
        ended = command(*settings, change)
        assert (ended.code, ended.err.count("\n")) == (2, 1)
        assert f"holds a training with another {where}" in ended.err
    assert snapshot(directory) == before


def test_a_directory_that_cannot_be_made_is_refused(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(28, "No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", Mock(side_effect=full))
        with pytest.raises(ConfigError, match=r"^dir=run: cannot be made \(No space left on"):
            make_directory("dir", Path("run"))
    assert not (directory / "run").exists()


def test_processes_do_not_make_another_training(command: Command, directory: Path) -> None:
    forest = (*QUICK, "model=forest", "model.trees=3", "dir=run")
    assert command(*forest, "model.workers=1").code == 0
    assert command(*forest, "model.workers=2").code == 0
    assert (directory / "run" / "result.json").exists()


def test_a_training_that_diverges_says_so(command: Command, directory: Path) -> None:
    exploding = ("split=none", *QUICK[:3], "model.optimizer.lr=1e30", "model.scheduler=null")
    for number, held_out in enumerate((0.1, 0)):
        run = f"dir=run{number}"
        ended = command(*exploding, f"data.validation={held_out}", run, "progress=false")
        assert (ended.code, ended.err.count("error: ")) == (2, 1)
        assert "the training diverged: " in ended.err
        assert "loss is nan in epoch 1; lower model.optimizer.lr" in ended.err
        assert not list(directory.glob("run*/model.ckpt"))

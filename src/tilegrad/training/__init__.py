"""Training runs: folds that can be interrupted, their metrics, tables and pictures."""

from tilegrad.training.build import build_run
from tilegrad.training.evaluation import build_evaluation
from tilegrad.training.finish import finish_run
from tilegrad.training.interrupts import Patience
from tilegrad.training.kept import BestEpoch, LastState
from tilegrad.training.printing import print_evaluation, print_fold, print_refit, print_result
from tilegrad.training.progress import FoldProgress
from tilegrad.training.run import TrainingRun

__all__ = [
    "BestEpoch",
    "FoldProgress",
    "LastState",
    "Patience",
    "TrainingRun",
    "build_evaluation",
    "build_run",
    "finish_run",
    "print_evaluation",
    "print_fold",
    "print_refit",
    "print_result",
]

"""The end of a training run: result.json, tables, pictures, and what the loggers are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.utils import instantiate

from tilegrad.files import write_json, write_text
from tilegrad.predictors.checkpoint import load_predictor
from tilegrad.provenance import provenance
from tilegrad.training.directory import MODEL, RESULT
from tilegrad.training.importance import permutation_importances
from tilegrad.training.pictures import write_pictures
from tilegrad.training.plots import importance_bars, save_figure
from tilegrad.training.predictions import coverage
from tilegrad.training.result import all_predictions, fold_table, overall_metrics
from tilegrad.training.run import TrainingRun
from tilegrad.training.tracking import track
from tilegrad.training.transfer import Transfer


def finish_run(
    run: TrainingRun, folds: Sequence[Mapping[str, Any]], refit: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Write the run's files and return the content of result.json."""
    targets, model = run.data.schema.targets, run.directory / MODEL
    metrics: dict[str, dict[str, Any]] = {}
    intervals: dict[str, dict[str, float]] = {}
    if folds:
        predictions = all_predictions(run.directory, len(folds))
        metrics = overall_metrics(predictions, folds, targets)
        intervals = coverage(predictions, targets)
        for target in targets:
            write_text(
                run.directory / f"folds_{target}.csv", fold_table(folds, target).to_csv(index=False)
            )
        if run.config.plots:
            write_pictures(run.directory, predictions, run.config.name, metrics)
    if run.config.transfer and refit is not None:
        metrics |= _transferred(run)
    importances = _importances(run) if run.config.importances and refit is not None else {}
    result = {
        "name": run.config.name,
        "metrics": metrics,
        "intervals": intervals,
        "folds": len(folds),
        "fit_seconds": round(sum(fold["fit_seconds"] for fold in folds), 3),
        "refit": dict(refit) if refit is not None else None,
        "checkpoint": str(model) if refit is not None and model.exists() else None,
        "importances": importances,
        "seed": run.config.seed,
        "rows": len(run.data.rows),
        "batch_size": run.data.batch_size,
        "findings": [str(finding) for finding in run.data.findings],
        "trained_by": _makers(folds, refit),
        "written_by": provenance(run.fingerprint),
    }
    write_json(run.directory / RESULT, result)
    track(run.config, run.directory, result)
    return result


def _makers(
    folds: Sequence[Mapping[str, Any]], refit: Mapping[str, Any] | None
) -> dict[str, Mapping[str, Any]]:
    """Return by fold what trained it: folds that are only read again may be of another version."""
    found = {f"fold-{number}": fold["made_by"] for number, fold in enumerate(folds)}
    return found if refit is None else {**found, "refit": refit["made_by"]}


def _transferred(run: TrainingRun) -> dict[str, dict[str, Any]]:
    """Return the metrics on another machine, by its name and the number of its measurements."""
    transfer: Transfer = instantiate(run.config.transfer)
    model = load_predictor(run.directory / MODEL, run.data.accelerator)
    return transfer.run(model, run.directory, run.config.seed)


def _importances(run: TrainingRun) -> dict[str, dict[str, float]]:
    """Return the model's own measures and the permutation importance of its columns."""
    path = run.directory / MODEL
    if not path.exists():
        return {}
    model = load_predictor(path, run.data.accelerator)
    found = {**model.importances(), "permutation": permutation_importances(model, run.data)}
    if run.config.plots:
        save_figure(importance_bars(found, run.config.name), run.directory / "importances.png")
    return found

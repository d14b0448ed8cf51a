"""Benchmark cells: one cross-validation each, cached by everything it depends on, so that a long table can be stopped
and taken up again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from core.cohort.cohort import Cohort
from core.cohort.modality import Modality
from core.cohort.splits import resolve_folds
from core.features.encoded import EncodedCohort, load_features
from core.features.inputs import build_dataset
from core.results.evaluation import Repeats, concordance, evaluate
from core.results.files import new_folder, read_json, verify_folder, write_json
from core.results.prediction import Predictions
from core.results.run import Metric, Metrics
from core.results.workspace import Workspace
from core.tasks.provenance import code_version
from core.tasks.train import HORIZONS, Prepared, Progress, prediction_times, run_plan
from core.training.estimators import EstimatorSpec

CHECKPOINTS = "checkpoints"
CELL_VERSION = 1
"""Raised whenever a change of the code changes what a cell computes."""
REPEATS = Repeats(harrell=1000, other=100, calibration=20)


@dataclass(frozen=True)
class CellSpec:
    """What a cell computes: an estimator on one cohort's folds.

    ``tested`` only the first so many folds, 0 = all · ``models`` keep the trained models, for what is measured inside
    them.
    """

    label: str
    cohort: str
    folds: str
    estimator: EstimatorSpec
    modalities: tuple[Modality, ...]
    seeds: int
    tested: int = 0
    models: bool = False

    def key(self, cohort: Cohort, features: EncodedCohort | None = None) -> str:
        """Name of the cell's folder: a hash of all that matters, the label left out."""
        defining = [
            CELL_VERSION,
            cohort.content_hash,
            self.folds,
            asdict(self.estimator),
            list(self.modalities),
            self.seeds,
            HORIZONS,
            *([self.tested, self.models] if self.tested or self.models else []),
            *filter(None, [features.fingerprint(self.modalities) if features is not None else ""]),
        ]
        return hashlib.sha256(json.dumps(defining, default=str, sort_keys=True).encode()).hexdigest()[:24]


@dataclass(frozen=True, eq=False)
class Cell:
    """A finished cell.

    ``permuted`` holds the C-index with one modality shuffled among the test patients · ``thresholds`` the risk at the
    tertiles and the median of each fold's training patients · ``checkpoints`` the folder of the trained models, or
    None where they were not kept.
    """

    spec: CellSpec
    metrics: Metrics
    predictions: Predictions
    permuted: Mapping[str, Metric]
    seconds: float
    code_version: str
    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    checkpoints: Path | None = None


def run_cell(spec: CellSpec, cohort: Cohort, workspace: Workspace, processes: int, progress: Progress) -> Cell:
    """The cell from the cache, or computed and kept."""
    features = load_features(cohort.name, workspace)
    folder = workspace.cells / spec.key(cohort, features)
    if not folder.is_dir():
        _compute(spec, cohort, features, folder, processes, progress)
    return _read(spec, folder)


def _compute(
    spec: CellSpec, cohort: Cohort, features: EncodedCohort, folder: Path, processes: int, progress: Progress
) -> None:
    started = time.perf_counter()
    endpoint = cohort.endpoint()
    dataset = build_dataset(cohort, endpoint, spec.modalities, features)
    folds = resolve_folds(cohort, spec.folds, endpoint.name)
    folds = replace(folds, tested=spec.tested or folds.tested)
    horizons = tuple(h for h in HORIZONS if h < float(dataset.outcome.time.max()))
    times = prediction_times(dataset, horizons)
    prepared = Prepared(cohort, dataset, folds, spec.estimator, endpoint.name, horizons, times)
    with new_folder(folder) as new:
        result = run_plan(prepared, spec.seeds, _sink(new) if spec.models else None, processes, progress)
        metrics = evaluate(result.predictions, horizons, REPEATS)
        described = {
            "seconds": time.perf_counter() - started,
            "code_version": code_version(),
            "label": spec.label,
            "metrics": metrics.as_json(),
            "permuted": {name: asdict(concordance(p)) for name, p in result.permuted.items()},
            "thresholds": result.thresholds,
        }
        write_json(new / "cell.json", described)
        result.predictions.write(new)


def _sink(folder: Path) -> Path:
    (folder / CHECKPOINTS).mkdir()
    return folder / CHECKPOINTS


def _read(spec: CellSpec, folder: Path) -> Cell:
    verify_folder(folder)
    stored = read_json(folder / "cell.json")
    return Cell(
        spec,
        Metrics.from_json(stored["metrics"]),
        Predictions.read(folder),
        {name: Metric(**m) for name, m in stored["permuted"].items()},
        float(stored["seconds"]),
        str(stored["code_version"]),
        stored.get("thresholds", {}),
        folder / CHECKPOINTS if spec.models else None,
    )

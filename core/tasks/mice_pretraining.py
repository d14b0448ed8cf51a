"""MICE trained on every cancer but one, and trained further on some patients of that one.

Each model and each prediction is kept under a hash of all it depends on, so that a study can be stopped at any time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.arrays import FloatArray, IntArray
from core.cohort.cohort import Cohort
from core.features.inputs import Dataset, build_dataset
from core.models.estimator import Estimates
from core.models.mice.config import MICEConfig
from core.results.files import new_folder
from core.results.prediction import COLUMNS, Predictions
from core.results.workspace import Workspace
from core.tasks.bench import Progress
from core.tasks.cells import CELL_VERSION
from core.tasks.mice_study import BOTH, FOLDS, mice_training, pan_training
from core.tasks.train import HORIZONS
from core.training.bins import TimeBins
from core.training.config import TrainingConfig
from core.training.cross_validation import Plan, cross_validate
from core.training.estimators import EstimatorSpec, make_estimator
from core.training.neural import FittedNeural, NeuralEstimator, restore_neural
from core.training.new_cancer import with_new_cancer
from core.training.state_files import read_state, write_state
from core.training.units import unit_name

TIMES = np.array([12.0, 24.0, 36.0])
FINE_TUNED: Mapping[str, Any] = {"alpha": 0.0}
"""Fine-tuning trains survival alone, as released."""


@dataclass(frozen=True, eq=False)
class Pan:
    """The pan-cancer inputs, whose folds and cancers are looked at many times."""

    cohort: Cohort
    dataset: Dataset
    workspace: Workspace

    @classmethod
    def of(cls, cohort: Cohort, workspace: Workspace) -> Pan:
        return cls(cohort, build_dataset(cohort, cohort.endpoint(), BOTH), workspace)

    @property
    def test_fold(self) -> IntArray:
        """(n,) fold that tests each patient of the dataset."""
        return np.asarray(self.cohort.folds[FOLDS].test_fold[self.dataset.rows])

    def rows(self, cancer: str, fold: int, test: bool) -> IntArray:
        """Patients of one cancer that fold ``fold`` tests, or trains on."""
        here = np.array(self.dataset.inputs.groups) == cancer
        fold_of = self.test_fold
        return np.flatnonzero(here & ((fold_of == fold) if test else (fold_of != fold) & (fold_of >= 0)))

    def without(self, cancer: str) -> Dataset:
        """The dataset without a cancer's patients."""
        keep = np.flatnonzero(np.array(self.dataset.inputs.groups) != cancer)
        inputs, outcome = self.dataset.inputs.take(keep), self.dataset.outcome.take(keep)
        return replace(self.dataset, inputs=inputs, outcome=outcome, rows=self.dataset.rows[keep])


def settings() -> dict[str, Any]:
    """Every setting of the model by value."""
    return asdict(MICEConfig())


def key_of(pan: Pan, *defining: object) -> str:
    """Name of a folder of ``workspace/cells``."""
    given = [
        CELL_VERSION,
        pan.cohort.content_hash,
        settings(),
        asdict(mice_training()),
        asdict(pan_training()),
        *defining,
    ]
    return hashlib.sha256(json.dumps(given, default=str, sort_keys=True).encode()).hexdigest()[:24]


def left_out_folder(pan: Pan, cancer: str, folds: int, seeds: int) -> Path:
    """Where the models trained without ``cancer`` lie."""
    return pan.workspace.cells / key_of(pan, "left-out", cancer, folds, seeds)


def left_out_models(pan: Pan, cancer: str, folds: int, seeds: int, processes: int, progress: Progress) -> Path:
    """Train on all other cancers, fold by fold; the folder of the checkpoints."""
    folder = left_out_folder(pan, cancer, folds, seeds)
    if not folder.is_dir():
        estimator = make_estimator(EstimatorSpec("mice", settings(), pan_training()))
        plan = replace(pan.cohort.folds[FOLDS], tested=folds)
        with new_folder(folder) as new:
            dataset = pan.without(cancer)
            cross_validate(
                Plan(dataset, plan, estimator, tuple(range(seeds)), HORIZONS, TIMES, sink=new), processes, progress
            )
    return folder


def model_of(folder: Path, fold: int, seed: int) -> FittedNeural:
    """One checkpoint of a folder."""
    return restore_neural(read_state(folder / unit_name(fold, seed)))


def share_of(rows: IntArray, share: float, fold: int, seed: int) -> IntArray:
    """A random part of some patients; a smaller share lies within a larger one."""
    order = np.random.default_rng(1000 * seed + fold).permutation(rows)
    return np.sort(order[: max(1, round(share * len(rows)))])


def fine_tuned(pan: Pan, start: FittedNeural, rows: IntArray, seed: int, scratch: Path) -> FittedNeural:
    """``start`` trained further, survival alone, on these patients. ``scratch`` holds it for the moment."""
    path = scratch / f"start-{seed}.safetensors"
    write_state(start.state(), path)
    estimator = NeuralEstimator("mice", dict(FINE_TUNED), mice_training(), start=path)
    inputs, outcome = pan.dataset.inputs.take(rows), pan.dataset.outcome.take(rows)
    fitted = estimator.fit_watched(inputs, outcome, start.bins, seed, None)
    path.unlink()
    return fitted


def from_scratch(pan: Pan, rows: IntArray, bins: TimeBins, seed: int, model: str = "mice") -> FittedNeural:
    """The same patients alone, from nothing, in the bins of the pre-trained model: a tenth of a cancer's patients are
    too few to say where bins should end."""
    training = mice_training() if model == "mice" else TrainingConfig()
    estimator = NeuralEstimator(model, settings() if model == "mice" else {}, training)
    return estimator.fit_watched(pan.dataset.inputs.take(rows), pan.dataset.outcome.take(rows), bins, seed, None)


def unseen(folder: Path, cancer: str, fold: int, seed: int, borrow: bool = True) -> FittedNeural:
    """The model trained without ``cancer``, with the average of the others in its place."""
    return with_new_cancer(model_of(folder, fold, seed), cancer, borrow)


def predicted(pan: Pan, fitted: FittedNeural, rows: IntArray, fold: int, seed: int) -> Predictions:
    """The model's predictions of some patients."""
    estimates: Estimates = fitted.predict(pan.dataset.inputs.take(rows), TIMES)
    return table_of(pan, rows, fold, seed, estimates.risk, estimates.survival)


def table_of(pan: Pan, rows: IntArray, fold: int, seed: int, risk: FloatArray, survival: FloatArray) -> Predictions:
    """Predictions of one fold and seed."""
    outcome = pan.dataset.outcome.take(rows)
    columns = {
        "id": [pan.dataset.inputs.ids[i] for i in rows], "fold": fold, "seed": seed, "entry": outcome.entry,
        "time": outcome.time, "event": outcome.codes, "risk": risk,
    }  # fmt: skip
    return Predictions(pd.DataFrame(columns)[list(COLUMNS)], TIMES, survival)


def joined(parts: list[Predictions]) -> Predictions:
    """Several folds, seeds and cancers together."""
    table = pd.concat([p.table for p in parts], ignore_index=True)
    return Predictions(table, parts[0].times, np.concatenate([p.survival for p in parts]))

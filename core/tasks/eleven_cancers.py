"""The three models and their references on every one of the eleven TCGA cancers: what is trained, and on which folds.

A model of one cancer is trained on that cancer's table. MICE is trained on all tables at once, and read cancer by
cancer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.arrays import FloatArray
from core.cohort.cancer import cancers_of
from core.cohort.cohort import Cohort
from core.cohort.modality import Modality
from core.features.inputs import Dataset
from core.models.mice.config import PUBLISHED as MICE_PUBLISHED
from core.models.registry import MODELS
from core.results.prediction import COLUMNS, Predictions
from core.results.workspace import Workspace
from core.tasks.bench_evidence import BOTH, evidence_cohort
from core.tasks.fit_queue import Fit, FitSeries, collected, dataset_of, fits_of
from core.tasks.mice_study import CANCERS, COHORT, cancer_name, mice_training, pan_cohort, pan_training
from core.training.cross_validation import CrossValidation
from core.training.estimators import EstimatorSpec, training_from

MONTHS = np.array([6.0, 12.0, 18.0, 24.0, 36.0, 48.0, 60.0])
"""At which the curves of several models are averaged."""


@dataclass(frozen=True)
class Candidate:
    """One row: ``pooled`` is trained on all cancers at once · ``members`` other rows whose curves are averaged ·
    ``seeds`` at most so many · ``chosen`` may be taken by a fold."""

    label: str
    estimator: EstimatorSpec | None = None
    seeds: int = 3
    pooled: bool = False
    members: tuple[str, ...] = ()
    chosen: bool = True
    only_full: bool = False

    @property
    def neural(self) -> bool:
        """Whether there is a network inside, which has an embedding."""
        return self.estimator is not None and self.estimator.name in MODELS


def _own(model: str) -> EstimatorSpec:
    return EstimatorSpec(model, *training_from({}, model))


COX, SNN, HDMOE, BIOFACT, MICE = "Penalised Cox", "SNN", "HDMoE", "BioFact-MoE", "MICE"
TOGETHER = "HDMoE, BioFact-MoE and MICE together"
CANDIDATES: tuple[Candidate, ...] = (
    Candidate("Cox, age + sex", EstimatorSpec("cox-clinical"), 1, chosen=False),
    Candidate(COX, EstimatorSpec("cox-penalised"), 1, chosen=False),
    Candidate(SNN, EstimatorSpec("snn"), chosen=False),
    Candidate(MICE, EstimatorSpec("mice", {}, pan_training()), pooled=True),
    Candidate(HDMOE, EstimatorSpec("hdmoe")),
    Candidate(BIOFACT, _own("biofact")),
    Candidate(TOGETHER, members=(HDMOE, BIOFACT, MICE)),
    Candidate(
        "MICE, published sizes and settings", EstimatorSpec("mice", dict(MICE_PUBLISHED), mice_training()), 1,
        pooled=True, chosen=False, only_full=True,
    ),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Tables:
    """The eleven cohorts, the one made of them, and every patient's cancer by pseudonym."""

    workspace: Workspace
    pan: Cohort
    single: Mapping[str, Cohort] = field(default_factory=dict)

    @classmethod
    def of(cls, workspace: Workspace, names: Sequence[str] = CANCERS) -> Tables:
        return cls(workspace, pan_cohort(workspace), {n: evidence_cohort(n, workspace) for n in names})

    @property
    def cancers(self) -> dict[str, str]:
        """Pseudonym → cancer, as the joined cohort calls it."""
        return cancers_of(self.pan)

    def dataset(self, name: str) -> Dataset:
        """Genes, age and sex of one cancer's patients."""
        return dataset_of(cancer_name(name), BOTH, self.workspace.root)

    def series(self, row: Candidate, folds: str) -> tuple[FitSeries, ...]:
        """What has to be trained for a row: one cross-validation a cancer, or one of all of them. Choices inside a
        fold need neither the permuted predictions nor the models."""
        assert row.estimator is not None  # noqa: S101  a row without members has one
        outer = "/inner" not in folds
        names = (COHORT,) if row.pooled else tuple(cancer_name(n) for n in self.single)
        return tuple(FitSeries(n, folds, row.estimator, BOTH, outer, outer and row.neural) for n in names)

    def fits(self, row: Candidate, folds: str, seeds: Sequence[int]) -> list[Fit]:
        """Every model of a row; none for one that averages others."""
        if row.members:
            return []
        of = [seed for seed in seeds if seed < row.seeds]
        return [fit for series in self.series(row, folds) for fit in fits_of(series, of, self.workspace)]

    def predictions(self, row: Candidate, folds: str, seeds: int, hidden: Modality | None = None) -> Predictions:
        """Out-of-fold predictions of every patient of the eleven cancers by one row, all of whose fits are there;
        with ``hidden``, that modality permuted among the test patients."""
        if row.members:
            parts = [self.predictions(candidate(name), folds, seeds, hidden) for name in row.members]
            return averaged(parts, self.cancers)
        of = range(min(row.seeds, seeds))
        found = [collected(series, of, self.workspace) for series in self.series(row, folds)]
        return joined([_read(f, hidden) for f in found])


def _read(found: CrossValidation, hidden: Modality | None) -> Predictions:
    return found.predictions if hidden is None else found.permuted[hidden.value]


def candidate(label: str) -> Candidate:
    """A row by its label."""
    return next(c for c in CANDIDATES if c.label == label)


def joined(parts: Sequence[Predictions]) -> Predictions:
    """Predictions of several cohorts under each other, at the months of :data:`MONTHS`."""
    tables = pd.concat([p.table for p in parts], ignore_index=True)[list(COLUMNS)]
    return Predictions(tables, MONTHS, np.concatenate([at_months(p) for p in parts]))


def at_months(predictions: Predictions) -> FloatArray:
    """(r, months) S at :data:`MONTHS`, NaN where a model estimates none."""
    return np.stack([predictions.survival_at(m) for m in MONTHS], axis=1)


def averaged(parts: Sequence[Predictions], cancers: Mapping[str, str]) -> Predictions:
    """One curve a patient: the mean of the models' seed ensembles. Risk = −mean S over the months all of them estimate.

    The months are the same for all patients of a fold and a cancer, so that pairs are compared on one scale; nothing is
    fitted and no weight is chosen.
    """
    ensembles = [p.ensemble() for p in parts]
    first = ensembles[0].table.set_index("id")
    curves = []
    for e in ensembles:
        place = {i: row for row, i in enumerate(e.table["id"])}
        curves.append(at_months(e)[[place[i] for i in first.index]])
    mean = np.mean(curves, axis=0)
    table = first.reset_index()
    known = np.isfinite(mean)
    group = table["fold"].astype(str) + " " + table["id"].map(cancers).fillna("")
    risk = np.empty(len(table))
    for rows in group.groupby(group).indices.values():
        common = known[rows].all(axis=0)
        risk[rows] = -np.where(known[rows], mean[rows], 0.0)[:, common].mean(axis=1)
    table["risk"] = risk
    return Predictions(table[list(COLUMNS)], MONTHS, mean)

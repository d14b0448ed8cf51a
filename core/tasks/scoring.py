"""All members of a run applied to a cohort: alignment, estimates, support, and the words for whoever gets no number."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.arrays import BoolArray, FloatArray, IntArray
from core.cohort.cohort import Cohort
from core.cohort.modality import Modality
from core.features.alignment import Aligned, align
from core.features.encoded import EncodedCohort
from core.features.inputs import Bag, Inputs
from core.features.run_inputs import RunInputs
from core.models.estimator import Estimator
from core.results.prediction import Predictions
from core.training.ensemble import (
    NEVER_SEEN,
    EnsembleEstimates,
    EnsembleSupport,
    Progress,
    judge_support,
    members_in,
    predict_ensemble,
)
from core.training.scoring_files import read_run_inputs
from core.training.support import FEWEST


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained run as scoring needs it.

    ``folder`` its checkpoints and scoring files · ``predictions`` its own out-of-fold predictions, which say who it was
    trained on, in which fold each was tested, and the months of S(t).
    """

    name: str
    folder: Path
    estimator: Estimator
    folds: int
    seeds: tuple[int, ...]
    predictions: Predictions

    def run_inputs(self) -> RunInputs:
        """What its inputs were; raises for a run stored before this was kept."""
        return read_run_inputs(self.folder, self.name)

    def outcomes(self) -> tuple[FloatArray, BoolArray]:
        """Times and events of the patients it was trained on."""
        table = self.predictions.table.drop_duplicates("id")
        return table["time"].to_numpy(dtype=float), table["event"].to_numpy() == 1

    def seen(self, ids: tuple[str, ...]) -> IntArray:
        """(n,) the fold that tested each patient, or ``NEVER_SEEN`` for one it was not trained on."""
        tested = self.predictions.table.drop_duplicates("id").set_index("id")["fold"]
        return np.asarray(pd.Series(list(ids)).map(tested).fillna(NEVER_SEEN), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Scored:
    """Every patient of a cohort, row for row: estimates of all, and who of them is supported.

    ``reasons`` (n,) "" where supported · ``distance`` (n,) the farthest input as a multiple of the distance allowed,
    NaN for a patient without any.
    """

    aligned: Aligned
    estimates: EnsembleEstimates
    seen: IntArray
    supported: BoolArray
    reasons: tuple[str, ...]
    distance: FloatArray

    @property
    def has_inputs(self) -> BoolArray:
        """(n,) patients with at least one modality of the run."""
        return np.asarray(np.any(list(self.aligned.inputs.present.values()), axis=0), dtype=bool)


def encoded_bags(
    cohort: Cohort, run: RunInputs, features: EncodedCohort
) -> tuple[dict[Modality, tuple[Bag | None, ...]], dict[Modality, str]]:
    """Bags of the patients, and for a modality that is not encoded as the run's was the reason and what to do."""
    bags: dict[Modality, tuple[Bag | None, ...]] = {}
    unusable: dict[Modality, str] = {}
    for m in run.bag_width:
        how = run.encoders.get(m.value, {})
        command = f"./run cli encode {cohort.name} --modalities {m.value} --encoder {m.value}={how.get('name', '')}"
        if m not in cohort.modalities:
            unusable[m] = f"nobody in this cohort has {m.value}"
        elif m not in features.modalities:
            unusable[m] = f"the {m.value} of this cohort are not encoded: {command}"
        elif {k: features.of(m).how.get(k) for k in how} != dict(how):
            unusable[m] = f"the {m.value} of this cohort were encoded in another way than the run's: {command}"
        else:
            found = [features.read(i, m) for i in cohort.ids]
            bags[m] = tuple(None if f is None else f.features for f in found)
    return bags, unusable


def score(trained: Trained, cohort: Cohort, features: EncodedCohort | None, progress: Progress) -> Scored:
    """Apply every member to every patient it has not been trained on; ``features`` the cohort's encoded modalities."""
    run = trained.run_inputs()
    bags, unusable = encoded_bags(cohort, run, features) if features is not None else ({}, {})
    aligned = align(cohort, run, bags, unusable)
    inputs, seen = aligned.inputs, trained.seen(cohort.ids)
    members = members_in(trained.folder, trained.folds, trained.seeds)
    estimates = predict_ensemble(members, trained.estimator, inputs, seen, trained.predictions.times, progress)
    # an estimator that copes with any missing modality by design says so
    any_modality = bool(getattr(trained.estimator, "any_modality", False))
    support = judge_support(trained.folder, trained.folds, inputs, seen, any_modality)
    reasons = tuple(reason_of(i, inputs, aligned, support) for i in range(len(inputs)))
    supported = np.array([not r for r in reasons], dtype=bool)
    return Scored(aligned, estimates, seen, supported, reasons, farthest(inputs, support))


def farthest(inputs: Inputs, support: EnsembleSupport) -> FloatArray:
    """(n,) the farthest input as a multiple of the distance allowed, NaN for a patient without any."""
    ratios = np.stack([support.ratio[m] for m in inputs.modalities])
    known = np.isfinite(ratios).any(axis=0)
    distance = np.full(len(inputs), np.nan)
    distance[known] = np.nanmax(ratios[:, known], axis=0)
    return distance


def reason_of(i: int, inputs: Inputs, aligned: Aligned, support: EnsembleSupport) -> str:
    """Why a patient gets no number, the most telling first, or ""."""
    if not any(inputs.present[m][i] for m in inputs.modalities):
        return f"nothing the run reads ({', '.join(inputs.modalities)}) can be used for this patient"
    found = ["a cancer the run was not trained on"] if aligned.unknown_cancer[i] else []
    folds = int(support.folds[i])
    for m in inputs.modalities:
        has = bool(inputs.present[m][i])
        if support.untrained[m][i]:
            why = "masked" if m in aligned.masked else "missing"
            words = f"{m.value}, which" if has else f"{m.value} {why}:"
            found.append(f"{words} fewer than {FEWEST} training patients {'had' if has else 'lacked it'}")
        elif support.folds_outside[m][i] > folds / 2:
            ratio, count = support.ratio[m][i], int(support.folds_outside[m][i])
            where = f"in {count} of {folds} folds"
            found.append(f"{m.value} {ratio:.2f} times as far from the training patients as allowed, {where}")
    return "; ".join(found)

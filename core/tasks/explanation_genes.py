"""The gene half of ``bench explanations``: are the planted genes found, and does every sum add up?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.explain.cohort_values import CohortSettings, explain_cohort
from core.explain.other_models import trained_on_permuted, untrained
from core.explain.run_models import RunModels
from core.explain.values import ValueSettings, explain_values
from core.features.inputs import Outcome
from core.results.explained import default_month
from core.statistics.cox import fit_cox
from core.tasks.provenance import code_version
from core.tasks.train import Progress

TOP = 30


@dataclass(frozen=True)
class GeneTruth:
    """Share of the planted genes among the first 30 of the global ranking, and beside it.

    ``ceiling`` the same by univariate Cox on all patients · ``untrained``, ``permuted`` rank correlation of the gene
    ranking with that of models that learned nothing · ``sum_error`` largest |baseline + values + residual − prediction|
    and ``residual`` largest |residual|, percentage points, over ``explained`` patients.
    """

    recall: float
    ceiling: float
    planted: int
    genes: int
    patients: int
    untrained: float
    permuted: float
    sum_error: float
    residual: float
    explained: int


def gene_truth(
    models: RunModels,
    planted: tuple[str, ...],
    outcome: Outcome,
    settings: CohortSettings,
    progress: Progress,
    shuffled_seeds: int | None = None,
) -> GeneTruth:
    """Measure one run on genes; ``outcome`` that of its patients, row for row. ``shuffled_seeds`` models a fold are
    trained on shuffled outcomes, None for as many as the run has."""
    month = default_month(models.run.horizons)
    ranking = gene_importance(models, month, settings, lambda s, m: progress(0.35 * s, m))
    fewer = replace(settings, patients=max(12, settings.patients // 3))
    bare = gene_importance(untrained(models), month, fewer, lambda s, m: progress(0.35 + 0.15 * s, m))
    few = replace(models, run=replace(models.run, seeds=models.run.seeds[:shuffled_seeds]))
    dealt = trained_on_permuted(few, outcome, lambda s, m: progress(0.5 + 0.2 * s, m))
    shuffled = gene_importance(dealt, month, fewer, lambda s, m: progress(0.7 + 0.15 * s, m))
    errors, residuals, explained = sum_errors(models, month, 4, lambda s, m: progress(0.85 + 0.15 * s, m))
    return GeneTruth(
        recall(ranking, planted),
        recall(cox_importance(models, outcome), planted),
        len(planted),
        len(ranking),
        settings.patients,
        _correlation(ranking, bare),
        _correlation(ranking, shuffled),
        errors,
        residuals,
        explained,
    )


def gene_importance(models: RunModels, month: float, settings: CohortSettings, progress: Progress) -> pd.Series:
    """Gene → mean |contribution| over patients, largest first."""
    table = explain_cohort(models, month, code_version(), settings, progress).features
    genes = table[table["group"] == Modality.GENOMICS.value]
    return genes.set_index("name")["importance"].sort_values(ascending=False, kind="stable")


def recall(importance: pd.Series, planted: tuple[str, ...], top: int = TOP) -> float:
    """Share of the planted genes among the ``top`` first."""
    return len(set(importance.index[:top]) & set(planted)) / len(planted)


def cox_importance(models: RunModels, outcome: Outcome) -> pd.Series:
    """Gene → |z| of its own Cox model on all patients who have genes: what a simple look at the table finds."""
    genes = models.inputs.genes
    assert genes is not None  # noqa: S101  a run on genes
    sizes = {}
    for column, name in enumerate(models.inputs.columns):
        values = genes[:, column].astype(np.float64)
        known = np.isfinite(values)
        try:
            fit = fit_cox(values[known, None], outcome.time[known], outcome.event[known], names=(name,))
            sizes[name] = abs(float(fit.coefficients[0] / fit.standard_errors[0]))
        except PrognoscopeError:  # a constant column, or one that parts the dead from the living
            sizes[name] = 0.0
    return pd.Series(sizes).sort_values(ascending=False, kind="stable")


def sum_errors(models: RunModels, month: float, patients: int, progress: Progress) -> tuple[float, float, int]:
    """Largest error of the sum, largest residual, and patients explained one by one."""
    rows = np.unique(np.linspace(0, len(models.inputs) - 1, patients).astype(int))
    errors, residuals = [], []
    for place, row in enumerate(rows):
        progress(place / len(rows), f"sums: patient {place + 1} of {len(rows)}")
        settings = ValueSettings(check=False)
        found = explain_values(models, models.inputs.ids[int(row)], month, code_version(), settings)
        total = found.baseline + float(found.features["value"].sum()) + found.residual
        errors.append(abs(total - found.prediction))
        residuals.append(abs(found.residual))
    return float(max(errors)), float(max(residuals)), len(rows)


def _correlation(first: pd.Series, second: pd.Series) -> float:
    both = first.to_frame("a").join(second.rename("b"), how="inner")
    return float(spearmanr(both["a"], both["b"]).statistic)

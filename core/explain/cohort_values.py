"""Explanations of many patients, each by the models that never saw it, gathered into what moves a run's estimates."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from core.arrays import Float32Array, FloatArray, IntArray
from core.cohort.modality import ENCODED_MODALITIES, Modality
from core.explain import expected_gradients
from core.explain.background import draw_background
from core.explain.estimate import PatientEstimate, Prepared, vector_players
from core.explain.expected_gradients import share_out
from core.explain.run_models import RunModels
from core.explain.stability import STABLE, rank_agreement
from core.explain.threads import one_thread
from core.explain.values import families_of
from core.results.cohort_explanation import COHORT_COLUMNS, CohortExplanation
from core.workers.pool import unordered

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class CohortSettings:
    """``patients`` at most, drawn with ``seed`` · ``background`` patients and ``steps`` for each: fewer than for one
    patient alone, since the errors of many patients average out."""

    patients: int = 100
    background: int = 20
    steps: int = 4
    seed: int = 0


@dataclass(frozen=True)
class Feature:
    """One input of a run: a gene, a clinical column or a bag modality."""

    name: str
    modality: Modality


def explain_cohort(
    models: RunModels,
    month: float,
    code_version: str,
    settings: CohortSettings | None = None,
    progress: Progress = lambda share, text: None,
) -> CohortExplanation:
    """Explain up to ``settings.patients`` patients out of fold.

    Raises
    ------
    PrognoscopeError
        For a run that is not of a neural model, or a month at which its models estimate nothing.
    """
    started = time.perf_counter()
    settings = settings or CohortSettings()
    rows = chosen_rows(len(models.inputs), settings)
    features = run_features(models)
    with one_thread():
        shares = contributions_of(models, rows, features, month, settings, progress)
    values, categories = _values(models, rows, features)
    table, order = rank_features(shares, values, features, families_of(models), frozenset(categories))
    agreement = rank_agreement(list(np.nanmean(np.abs(shares), axis=1)))
    return CohortExplanation(
        run=models.run.id,
        month=float(month),
        unit=f"percentage points of survival at month {month:g}",
        patients=tuple(models.inputs.ids[i] for i in rows),
        contributions=np.asarray(shares.mean(axis=0)[:, order], dtype=np.float32),
        values=values[:, order],
        features=table,
        categories=categories,
        models=len(shares),
        background=settings.background,
        method=expected_gradients.METHOD,
        rank_agreement=agreement,
        stable_ranks=agreement is not None and agreement >= STABLE,
        synthetic=models.run.synthetic,
        code_version=code_version,
        seconds=time.perf_counter() - started,
        notes=(f"{len(rows):,} of the run's {len(models.inputs):,} patients, drawn at random.",)
        if len(rows) < len(models.inputs)
        else (),
        extra={"steps": settings.steps, "seed": settings.seed},
    )


def chosen_rows(count: int, settings: CohortSettings) -> IntArray:
    """The rows of the patients to explain, in order; the same for every run of as many patients."""
    random = np.random.default_rng([settings.seed, 4])
    return np.sort(random.permutation(count)[: settings.patients]).astype(np.int64)


def run_features(models: RunModels) -> tuple[Feature, ...]:
    """Every input of a run: its genes, its clinical columns, its bag modalities."""
    inputs = models.inputs
    found = [Feature(name, Modality.GENOMICS) for name in inputs.columns]
    if inputs.clinical is not None:
        found += [Feature(str(name), Modality.CLINICAL) for name in inputs.clinical.columns]
    return (*found, *(Feature(m.value, m) for m in inputs.modalities if m in ENCODED_MODALITIES))


def contributions_of(
    models: RunModels,
    rows: IntArray,
    features: tuple[Feature, ...],
    month: float,
    settings: CohortSettings,
    progress: Progress = lambda share, text: None,
) -> FloatArray:
    """(seeds, n, f) percentage points, NaN where a patient lacks the modality; model by model, fold by fold."""
    found = np.full((len(models.run.seeds), len(rows), len(features)), np.nan)
    done, total = 0, len(rows) * len(models.run.seeds)
    pieces = [(int(fold), seed) for fold in np.unique(models.fold[rows]) for seed in range(len(models.run.seeds))]
    common = _Piecework(models, rows, features, month, settings)
    for (fold, seed), values in unordered(_of_model, common, pieces, processes=1):
        tested = np.flatnonzero(models.fold[rows] == fold)
        found[seed, tested] = values
        done += len(tested)
        progress(done / total, f"{done} of {total} estimates")
    return found


@dataclass(frozen=True, eq=False)
class _Piecework:
    """What the pieces of a cohort's explanation share; one piece is one model."""

    models: RunModels
    rows: IntArray
    features: tuple[Feature, ...]
    month: float
    settings: CohortSettings


def _of_model(work: _Piecework, piece: tuple[int, int]) -> FloatArray:
    """(tested, f) one model's values for the patients of its fold."""
    fold, seed = piece
    models, rows, settings = work.models, work.rows, work.settings
    model = models.of_fold(fold)[seed]
    tested = [int(row) for row in rows[models.fold[rows] == fold]]
    drawn = {row: draw_background(models.inputs, row, model.trained_on, settings.background) for row in tested}
    prepared = Prepared.of(models, model, set().union(*(background.rows(row) for row, background in drawn.items())))
    columns = models.inputs.columns
    estimates = (PatientEstimate(models, model, row, drawn[row], work.month, prepared) for row in tested)
    return np.stack([_of_one(estimate, columns, work.features, settings.steps) for estimate in estimates])


def _of_one(
    estimate: PatientEstimate, columns: tuple[str, ...], features: tuple[Feature, ...], steps: int
) -> FloatArray:
    """(f,) one model's values for one patient."""
    players = vector_players(estimate, columns)
    values = share_out(estimate, players, steps).joined.mean(axis=0)
    names = [*((p.modality, p.name) for p in players), *((m, m.value) for m in estimate.bag_modalities)]
    at = dict(zip(names, values, strict=True))
    # a clinical column that the training patients left constant moves nothing; what the patient lacks has no value
    return np.array(
        [at.get((f.modality, f.name), 0.0) if estimate.present.get(f.modality) else np.nan for f in features]
    )


def rank_features(
    shares: FloatArray,
    values: Float32Array,
    features: tuple[Feature, ...],
    families: dict[str, str],
    categories: frozenset[str] = frozenset(),
) -> tuple[pd.DataFrame, IntArray]:
    """The global ranking, and the order of the features in it.

    Parameters
    ----------
    shares : (seeds, n, f) float array
        Contributions; an input that no patient has ranks last.
    values : (n, f) float array
    features, families : the f inputs; gene → family
    categories : columns whose values have no order

    Returns
    -------
    DataFrame with ``COHORT_COLUMNS``, and the (f,) numbers of the features in its order
    """
    mean = np.abs(shares.mean(axis=0))
    importance = _mean_known(mean)
    per_seed = np.stack([_mean_known(np.abs(s)) for s in shares])
    ranks = np.stack([_ranks(s) for s in per_seed])
    order = np.argsort(-importance, kind="stable").astype(np.int64)
    apart = {m.value for m in ENCODED_MODALITIES} | categories
    table = pd.DataFrame(
        {
            "name": [f.name for f in features],
            "group": [f.modality.value for f in features],
            "family": [families.get(f.name, "") if f.modality is Modality.GENOMICS else "" for f in features],
            "importance": importance,
            "std": per_seed.std(axis=0),
            "direction": [
                np.nan if f.name in apart else _correlation(values[:, i], shares.mean(axis=0)[:, i])
                for i, f in enumerate(features)
            ],
            "rank": _ranks(importance),
            "rank_low": ranks.min(axis=0),
            "rank_high": ranks.max(axis=0),
        }
    )[list(COHORT_COLUMNS)]
    return table.iloc[order].reset_index(drop=True), order


def _values(
    models: RunModels, rows: IntArray, features: tuple[Feature, ...]
) -> tuple[Float32Array, dict[str, tuple[str, ...]]]:
    """(n, f) what the patients have, unscaled; and the levels of the clinical columns without an order."""
    inputs = models.inputs
    found = np.full((len(rows), len(features)), np.nan, dtype=np.float32)
    categories: dict[str, tuple[str, ...]] = {}
    genes = {name: i for i, name in enumerate(inputs.columns)}
    for place, feature in enumerate(features):
        if feature.modality is Modality.GENOMICS and inputs.genes is not None:
            found[:, place] = inputs.genes[rows, genes[feature.name]]
        elif feature.modality is Modality.CLINICAL and inputs.clinical is not None:
            column = inputs.clinical[feature.name]
            if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
                found[:, place] = column.to_numpy(dtype=float, na_value=np.nan)[rows]
            else:
                coded = pd.Categorical(column.astype("string"))
                categories[feature.name] = tuple(str(x) for x in coded.categories)
                found[:, place] = np.where(coded.codes[rows] < 0, np.nan, coded.codes[rows])
        else:
            bags = [inputs.bags[feature.modality][i] for i in rows]
            found[:, place] = [np.nan if bag is None else len(bag) for bag in bags]
    return found, categories


def _mean_known(values: FloatArray) -> FloatArray:
    """(f,) mean over the patients who have it, 0 where nobody has."""
    known = np.isfinite(values)
    return np.asarray(np.where(known, values, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


def _ranks(importance: FloatArray) -> IntArray:
    """1 for the largest."""
    ranks = np.empty(len(importance), dtype=np.int64)
    ranks[np.argsort(-importance, kind="stable")] = np.arange(1, len(importance) + 1)
    return ranks


def _correlation(values: Float32Array, contributions: FloatArray) -> float:
    both = np.isfinite(values) & np.isfinite(contributions)
    if both.sum() < 3 or np.ptp(values[both]) == 0 or np.ptp(contributions[both]) == 0:
        return float("nan")
    return float(spearmanr(values[both], contributions[both]).statistic)

"""Cross-validation: every patient predicted by models that never saw them.

The outer folds choose nothing. Folds and seeds run in separate processes of one thread each, so the numbers do not
depend on how many processes there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.arrays import FloatArray, IntArray
from core.cohort.folds import Folds
from core.cohort.modality import Modality
from core.features.inputs import Dataset, Inputs
from core.models.estimator import Estimates, Estimator, Fitted
from core.results.prediction import COLUMNS, Predictions
from core.training.bins import make_bins
from core.training.neural import NeuralEstimator
from core.training.state_files import write_state
from core.training.units import load_unit, save_unit, unit_name
from core.training.upstream import fit_upstream
from core.training.watch import CurveWriter
from core.workers.pool import unordered

Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Plan:
    """What is cross-validated.

    ``folds`` is row for row with the cohort · ``upstream`` replaces ``estimator`` under the upstream protocol, the
    only one that shows the test fold to the fit · ``times`` months at which S(t) is kept · ``sink`` folder for the
    checkpoints, or None · ``permutations`` also predict with each modality permuted among the test patients · ``units``
    folder of finished folds: those found there are not fitted again · ``curves`` file to which every epoch of a neural
    model is appended, to be looked at (:mod:`core.training.watch`) · ``starts`` folder of the models that a neural
    model's folds and seeds go on from.
    """

    dataset: Dataset
    folds: Folds
    estimator: Estimator
    seeds: tuple[int, ...]
    horizons: tuple[float, ...]
    times: FloatArray
    sink: Path | None = None
    permutations: bool = False
    upstream: NeuralEstimator | None = None
    units: Path | None = None
    curves: Path | None = None
    starts: Path | None = None

    def split(self, fold: int) -> tuple[IntArray, IntArray]:
        """Row numbers within the dataset that train and that are tested in ``fold``."""
        test_fold = self.folds.test_fold[self.dataset.rows]
        return np.flatnonzero((test_fold != fold) & (test_fold >= 0)), np.flatnonzero(test_fold == fold)


@dataclass(frozen=True, eq=False)
class FoldResult:
    """One fold and seed: rows tested, their estimates, the training risks, and the estimates after permutation."""

    fold: int
    seed: int
    test: IntArray
    estimates: Estimates
    train_risk: FloatArray
    permuted: Mapping[str, Estimates]


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """All folds and seeds together.

    ``thresholds`` fold → ``median``, ``low_tertile``, ``high_tertile`` of the seed-averaged risk of that fold's
    *training* patients · ``permuted`` modality → predictions with that modality shuffled among the test patients.
    """

    predictions: Predictions
    thresholds: Mapping[str, Mapping[str, float]]
    permuted: Mapping[str, Predictions]


def cross_validate(plan: Plan, processes: int = 2, progress: Progress | None = None) -> CrossValidation:
    """Fit every fold and seed."""
    tasks = [(fold, seed) for seed in plan.seeds for fold in range(plan.folds.k)]
    results = found_fits(plan, tasks)
    if results and progress is not None:
        progress(len(results) / len(tasks), f"{len(results)} of {len(tasks)} fits found finished")
    for task, result in unordered(_fit, plan, [task for task in tasks if task not in results], processes):
        results[task] = result
        if progress is not None:
            progress(len(results) / len(tasks), f"fold {result.fold + 1}, seed {result.seed}")
    return together(plan, [results[task] for task in tasks])


def together(plan: Plan, ordered: list[FoldResult]) -> CrossValidation:
    """Finished fits of one plan as one cross-validation."""
    names = tuple(ordered[0].permuted)
    return CrossValidation(
        _predictions(plan, ordered, [r.estimates for r in ordered]),
        _thresholds(ordered),
        {name: _predictions(plan, ordered, [r.permuted[name] for r in ordered]) for name in names},
    )


def fit_fold(plan: Plan, fold: int, seed: int) -> FoldResult:
    """Train on the other folds, predict this one."""
    train, test = plan.split(fold)
    inputs, outcome = plan.dataset.inputs, plan.dataset.outcome
    train_inputs, test_inputs = inputs.take(train), inputs.take(test)
    halves = (train_inputs, outcome.take(train)), (test_inputs, outcome.take(test))
    watch = None if plan.curves is None else CurveWriter(plan.curves, fold, seed, *halves, plan.times)
    estimator = plan.estimator
    if plan.starts is not None and isinstance(estimator, NeuralEstimator):
        estimator = replace(estimator, start=plan.starts / unit_name(fold, seed))
    fitted: Fitted
    if plan.upstream is not None:
        fitted = fit_upstream(plan.upstream, *halves, outcome, seed, watch)
    elif watch is not None and isinstance(estimator, NeuralEstimator):
        fitted = estimator.fit_watched(*halves[0], make_bins(halves[0][1], plan.horizons), seed, watch)
    else:
        fitted = estimator.fit(*halves[0], plan.horizons, seed)
    if plan.sink is not None:
        write_state(fitted.state(), plan.sink / unit_name(fold, seed))
    permuted = _permuted(fitted, test_inputs, plan.times, 7919 * seed + fold) if plan.permutations else {}
    result = FoldResult(
        fold,
        seed,
        test,
        fitted.predict(test_inputs, plan.times),
        fitted.predict(train_inputs, plan.times[:1]).risk,
        permuted,
    )
    if plan.units is not None:
        save_unit(result, plan.units)
    return result


def found_fits(plan: Plan, tasks: list[tuple[int, int]]) -> dict[tuple[int, int], FoldResult]:
    """Fits an earlier attempt finished, with their checkpoint where one is asked for."""
    if plan.units is None:
        return {}
    whole = [t for t in tasks if plan.sink is None or (plan.sink / unit_name(*t)).is_file()]
    loaded = {task: load_unit(*task, plan.units) for task in whole}
    return {task: result for task, result in loaded.items() if result is not None}


def _fit(plan: Plan, task: tuple[int, int]) -> FoldResult:
    return fit_fold(plan, *task)


def permute_modality(inputs: Inputs, modality: Modality, seed: int) -> Inputs:
    """The same patients with one modality shuffled among them: its distribution stays, its link to them goes."""
    order = np.random.default_rng(seed).permutation(len(inputs))
    return replace(
        inputs,
        present={**inputs.present, modality: inputs.present[modality][order]},
        genes=inputs.genes[order] if modality is Modality.GENOMICS and inputs.genes is not None else inputs.genes,
        clinical=inputs.clinical.iloc[order]
        if modality is Modality.CLINICAL and inputs.clinical is not None
        else inputs.clinical,
        bags={m: tuple(b[i] for i in order) if m is modality else b for m, b in inputs.bags.items()},
    )


def _permuted(fitted: Fitted, inputs: Inputs, times: FloatArray, seed: int) -> dict[str, Estimates]:
    return {m.value: fitted.predict(permute_modality(inputs, m, seed), times) for m in inputs.modalities}


def _predictions(plan: Plan, results: list[FoldResult], estimates: list[Estimates]) -> Predictions:
    frames = []
    for result, estimate in zip(results, estimates, strict=True):
        outcome = plan.dataset.outcome.take(result.test)
        frames.append(
            pd.DataFrame(
                {
                    "id": [plan.dataset.inputs.ids[i] for i in result.test],
                    "fold": result.fold,
                    "seed": result.seed,
                    "entry": outcome.entry,
                    "time": outcome.time,
                    "event": outcome.codes,
                    "risk": estimate.risk,
                }
            )
        )
    table = pd.concat(frames, ignore_index=True)[list(COLUMNS)]
    return Predictions(table, plan.times, np.concatenate([e.survival for e in estimates]))


def _thresholds(results: list[FoldResult]) -> dict[str, dict[str, float]]:
    thresholds = {}
    for fold in sorted({r.fold for r in results}):
        risk = np.mean([r.train_risk for r in results if r.fold == fold], axis=0)
        low, median, high = np.quantile(risk, [1 / 3, 1 / 2, 2 / 3])
        thresholds[str(fold)] = {"low_tertile": float(low), "median": float(median), "high_tertile": float(high)}
    return thresholds

"""Many cross-validations as one list of fits, worked off by one pool of processes; every finished fit is kept.

A table of hundreds of small cross-validations would otherwise spend its time on starting pools (:func:`run_cell` starts
one each) and on bootstraps nobody reads. A fit's numbers are those of :func:`core.training.cross_validation.fit_fold`,
whatever the pool.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

from core.cohort.cohort import Cohort
from core.cohort.modality import Modality
from core.cohort.splits import resolve_folds
from core.cohort.storage import load_cohort
from core.errors import PrognoscopeError
from core.features.encoded import load_features
from core.features.inputs import Dataset, build_dataset
from core.results.workspace import Workspace
from core.tasks.train import HORIZONS, Progress, prediction_times
from core.training.cross_validation import CrossValidation, Plan, fit_fold, found_fits, together
from core.training.estimators import EstimatorSpec, make_estimator
from core.training.units import unit_name
from core.workers.pool import unordered

FITS_VERSION = 1
"""Raised whenever a change of the code changes what a fit computes."""


@dataclass(frozen=True)
class FitSeries:
    """An estimator on one cohort's folds.

    ``permutations`` also predict with each modality permuted among the test patients · ``keep`` the trained models of
    the first seed, for what is measured inside them.
    """

    cohort: str
    folds: str
    estimator: EstimatorSpec
    modalities: tuple[Modality, ...]
    permutations: bool = False
    keep: bool = False


@dataclass(frozen=True)
class Fit:
    """One model to train: a fold and a seed of a series."""

    series: FitSeries
    fold: int
    seed: int


def fits_of(series: FitSeries, seeds: Sequence[int], workspace: Workspace) -> list[Fit]:
    """Every fold of every one of these seeds."""
    folds = plan_of(series, workspace).folds
    return [Fit(series, fold, seed) for seed in seeds for fold in range(folds.k)]


def run_fits(fits: Sequence[Fit], workspace: Workspace, processes: int, progress: Progress) -> None:
    """Train what is not there yet, in the order given."""
    left = [fit for fit in fits if not _found(fit, workspace)]
    done = len(fits) - len(left)
    if done:
        progress(done / len(fits), f"{done} of {len(fits)} fits found finished")
    for fit, _ in unordered(_work, workspace.root, left, processes):
        done += 1
        progress(done / len(fits), _words(fit))


def collected(series: FitSeries, seeds: Sequence[int], workspace: Workspace) -> CrossValidation:
    """The finished fits of these seeds as one cross-validation.

    Raises
    ------
    PrognoscopeError
        When some were not computed yet.
    """
    plan = replace(plan_of(series, workspace), seeds=tuple(seeds), sink=None)
    tasks = [(fold, seed) for seed in seeds for fold in range(plan.folds.k)]
    results = found_fits(plan, tasks)
    if len(results) < len(tasks):
        raise PrognoscopeError(
            f"{len(results)} of {len(tasks)} fits of {series.estimator.name}", f"cohort {series.cohort}", "run_fits"
        )
    return together(plan, [results[task] for task in tasks])


def checkpoint(fit: Fit, workspace: Workspace) -> Path:
    """Where the trained model of a fit is kept."""
    units = plan_of(fit.series, workspace).units
    assert units is not None  # noqa: S101
    return units / "checkpoints" / unit_name(fit.fold, fit.seed)


def plan_of(series: FitSeries, workspace: Workspace) -> Plan:
    """What a series cross-validates; ``units`` is the folder its fits are kept in."""
    return _plan(series.cohort, series.folds, _frozen(series.estimator), series.modalities, series.permutations,
                 workspace.root)  # fmt: skip


@lru_cache(maxsize=64)
def _plan(
    name: str, folds: str, estimator: str, modalities: tuple[Modality, ...], permutations: bool, root: Path
) -> Plan:
    cohort = _cohort(name, root)
    dataset = dataset_of(name, modalities, root)
    endpoint = cohort.endpoint()
    spec = _thawed(estimator)
    horizons = tuple(h for h in HORIZONS if h < float(dataset.outcome.time.max()))
    resolved = resolve_folds(cohort, folds, endpoint.name)
    return Plan(
        dataset, resolved, make_estimator(spec), (0,), horizons, prediction_times(dataset, horizons),
        permutations=permutations and len(modalities) > 1,
        units=Workspace(root).cells / "fits" / _key(cohort, folds, estimator, modalities, permutations, root),
    )  # fmt: skip


@lru_cache(maxsize=16)
def _cohort(name: str, root: Path) -> Cohort:
    return load_cohort(name, Workspace(root))


@lru_cache(maxsize=16)
def dataset_of(name: str, modalities: tuple[Modality, ...], root: Path) -> Dataset:
    """The inputs of a cohort's patients, of these modalities."""
    cohort = _cohort(name, root)
    return build_dataset(cohort, cohort.endpoint(), modalities, load_features(name, Workspace(root)))


def _key(
    cohort: Cohort, folds: str, estimator: str, modalities: tuple[Modality, ...], permutations: bool, root: Path
) -> str:
    features = load_features(cohort.name, Workspace(root)).fingerprint(modalities)
    defining = [
        FITS_VERSION, cohort.content_hash, folds, estimator, list(modalities), permutations, HORIZONS, features,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(defining, default=str).encode()).hexdigest()[:24]


def _frozen(spec: EstimatorSpec) -> str:
    """The estimator as text: settings are dictionaries, which no cache takes as a key."""
    return json.dumps(asdict(spec), sort_keys=True)


def _thawed(text: str) -> EstimatorSpec:
    from core.training.config import training_config

    stored = json.loads(text)
    return EstimatorSpec(stored["name"], stored["settings"], training_config(stored["training"]), stored["device"])


def _found(fit: Fit, workspace: Workspace) -> bool:
    units = plan_of(fit.series, workspace).units
    assert units is not None  # noqa: S101
    whole = (units / unit_name(fit.fold, fit.seed)).is_file()
    return whole and (not _kept(fit) or checkpoint(fit, workspace).is_file())


def _kept(fit: Fit) -> bool:
    return fit.series.keep and fit.seed == 0


def _work(root: Path, fit: Fit) -> None:
    plan = plan_of(fit.series, Workspace(root))
    assert plan.units is not None  # noqa: S101
    sink = plan.units / "checkpoints" if _kept(fit) else None
    (sink or plan.units).mkdir(parents=True, exist_ok=True)
    fit_fold(replace(plan, sink=sink), fit.fold, fit.seed)


def _words(fit: Fit) -> str:
    return (
        f"{fit.series.estimator.name} on {fit.series.cohort}, {fit.series.folds}, fold {fit.fold + 1}, seed {fit.seed}"
    )

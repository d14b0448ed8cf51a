"""The outer folds choose nothing: what cross-validation promises, and that it breaks where it should."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.cohort.folds import Folds
from core.cohort.sample import make_sample_cohort
from core.cohort.splits import resolve_folds
from core.features.inputs import build_dataset
from core.models.estimator import Estimator
from core.results.evaluation import fold_seed_cs
from core.training.cross_validation import CrossValidation, Plan, cross_validate, fit_fold, permute_modality
from core.training.estimators import estimator_names
from core.training.neural import NeuralEstimator
from core.training.state_files import read_state
from tests.training.planted import (
    CLINICAL,
    FAST,
    GENOMICS,
    HORIZONS,
    altered,
    k_folds,
    learning_estimator,
    permuted_labels,
    planted_dataset,
    small_estimator,
)

TIMES = np.array([6.0, 12.0, 24.0, 36.0, 200.0])


def make_plan(estimator: Estimator, k: int = 3, seeds: tuple[int, ...] = (0,), n: int = 120, **more: object) -> Plan:
    dataset = planted_dataset(n)
    return Plan(dataset, k_folds(n, k), estimator, seeds, HORIZONS, TIMES, **more)


def mean_c(result: CrossValidation) -> float:
    return float(np.mean(list(fold_seed_cs(result.predictions).values())))


@pytest.mark.parametrize("name", ["hdmoe", "snn", "cox-penalised"])
def test_permuted_labels_leave_nothing_to_predict(name: str) -> None:
    dataset = planted_dataset(240, seed=1, signal=1.6)
    plan = Plan(dataset, k_folds(240, 2), learning_estimator(name), (0,), HORIZONS, TIMES)
    assert mean_c(cross_validate(plan, 1)) > 0.66
    without = mean_c(cross_validate(replace(plan, dataset=permuted_labels(dataset, seed=3)), 1))
    assert without == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("name", estimator_names())
def test_nothing_of_a_test_fold_reaches_the_fit(name: str, tmp_path: Path) -> None:
    """Wildly other test patients: weights, scalers, bins and thresholds are equal bit for bit."""
    plan = make_plan(small_estimator(name), sink=tmp_path / "before")
    _, test = plan.split(1)
    changed = replace(plan, dataset=altered(plan.dataset, test), sink=tmp_path / "after")
    results = []
    for each in (plan, changed):
        assert each.sink is not None
        each.sink.mkdir()
        results.append(fit_fold(each, 1, 0))
    before, after = (read_state(p.sink / "fold1-seed0.safetensors") for p in (plan, changed) if p.sink is not None)
    assert after.settings == before.settings
    assert set(after.arrays) == set(before.arrays)
    assert all(after.arrays[k].tobytes() == v.tobytes() for k, v in before.arrays.items())
    assert results[1].train_risk.tobytes() == results[0].train_risk.tobytes()
    if name != "kaplan-meier":  # the test patients themselves are of course predicted differently
        assert not np.array_equal(results[1].estimates.risk, results[0].estimates.risk)


def test_the_leak_test_can_fail(tmp_path: Path) -> None:
    """Under the upstream protocol, which looks at the test fold, the same change does alter what is stored."""
    network = small_estimator("snn")
    assert isinstance(network, NeuralEstimator)
    plan = make_plan(network, upstream=network, sink=tmp_path)
    _, test = plan.split(0)
    fit_fold(plan, 0, 0)
    before = read_state(tmp_path / "fold0-seed0.safetensors")
    fit_fold(replace(plan, dataset=altered(plan.dataset, test)), 0, 0)
    after = read_state(tmp_path / "fold0-seed0.safetensors")
    assert after.settings["edges"] != before.settings["edges"]


def test_every_patient_is_predicted_once_a_seed_by_a_model_that_never_saw_it() -> None:
    plan = make_plan(small_estimator("cox-clinical"), k=4, seeds=(0, 1))
    left_out = plan.folds.test_fold.copy()
    left_out[[3, 50]] = -1
    plan = replace(plan, folds=Folds("with gaps", left_out))
    table = cross_validate(plan, 1).predictions.table
    expected = {i for i, fold in zip(plan.dataset.inputs.ids, left_out, strict=True) if fold >= 0}
    for seed in (0, 1):
        rows = table[table["seed"] == seed]
        assert rows["id"].is_unique
        assert set(rows["id"]) == expected
    place = {name: row for row, name in enumerate(plan.dataset.inputs.ids)}
    for fold in range(4):
        train, test = plan.split(fold)
        assert not set(train) & set(test)
        assert not {3, 50} & (set(train) | set(test))
        assert set(table.loc[table["fold"] == fold, "id"].map(place)) == set(test)
    outcome = plan.dataset.outcome
    rows = table["id"].map(place).to_numpy()
    assert np.array_equal(table["time"].to_numpy(), outcome.time[rows])
    assert np.array_equal(table["event"].to_numpy(), outcome.codes[rows])
    assert np.array_equal(table["entry"].to_numpy(), outcome.entry[rows])


def test_site_folds_are_disjoint_by_patient_and_by_site() -> None:
    cohort, _ = make_sample_cohort()
    assert cohort.sites is not None
    endpoint = cohort.endpoint()
    dataset = build_dataset(cohort, endpoint, (GENOMICS, CLINICAL))
    folds = resolve_folds(cohort, "site", endpoint=endpoint.name)
    estimator = small_estimator("cox-clinical")
    result = cross_validate(Plan(dataset, folds, estimator, (0,), HORIZONS, TIMES), 1)
    table = result.predictions.table
    assert table["id"].is_unique
    site = table["id"].map(cohort.sites)
    assert (table.groupby(site)["fold"].nunique() == 1).all()
    assert table["fold"].nunique() == folds.k > 1
    by_chance = resolve_folds(cohort, "5", endpoint=endpoint.name)
    fold_of = dict(zip(cohort.ids, by_chance.test_fold, strict=True))
    assert (table["id"].map(fold_of).groupby(site).nunique() > 1).any()  # ordinary folds do share sites


def test_thresholds_come_from_the_training_patients_of_each_fold() -> None:
    plan = make_plan(small_estimator("cox-clinical"), seeds=(0, 1))
    found = cross_validate(plan, 1)
    for fold in range(3):
        train, _ = plan.split(fold)
        inputs, outcome = plan.dataset.inputs.take(train), plan.dataset.outcome.take(train)
        fits = [plan.estimator.fit(inputs, outcome, HORIZONS, seed) for seed in (0, 1)]
        risk = np.mean([fitted.predict(inputs, TIMES).risk for fitted in fits], axis=0)
        assert found.thresholds[str(fold)]["median"] == pytest.approx(np.median(risk))
        assert found.thresholds[str(fold)]["low_tertile"] == pytest.approx(np.quantile(risk, 1 / 3))
        assert found.thresholds[str(fold)]["high_tertile"] == pytest.approx(np.quantile(risk, 2 / 3))
    own = found.predictions.ensemble().table
    assert found.thresholds["0"]["median"] != pytest.approx(own.loc[own["fold"] == 0, "risk"].median(), abs=1e-9)


def test_the_number_of_processes_changes_no_digit() -> None:
    plan = make_plan(small_estimator("snn", FAST), seeds=(0, 1), permutations=True)
    messages: list[tuple[float, str]] = []
    single = cross_validate(plan, 1, lambda share, message: messages.append((share, message)))
    double = cross_validate(plan, 2)
    assert double.predictions.table.equals(single.predictions.table)
    assert double.predictions.survival.tobytes() == single.predictions.survival.tobytes()
    assert double.thresholds == single.thresholds
    for modality, permuted in single.permuted.items():
        assert double.permuted[modality].table.equals(permuted.table)
    assert [share for share, _ in messages] == pytest.approx([i / 6 for i in range(1, 7)])


def test_seeds_are_independent_of_one_another() -> None:
    """Seed 1 alone gives what seed 1 gives among others: nothing leaks from one fit into the next."""
    both = cross_validate(make_plan(small_estimator("snn"), seeds=(0, 1)), 1).predictions
    alone = cross_validate(make_plan(small_estimator("snn"), seeds=(1,)), 1).predictions
    assert both.of_seed(1).table.equals(alone.table)
    assert not np.array_equal(both.of_seed(0).table["risk"], both.of_seed(1).table["risk"])


def test_a_permuted_modality_loses_its_signal_and_keeps_its_distribution() -> None:
    dataset = planted_dataset(240, seed=1, signal=1.6)
    shuffled = permute_modality(dataset.inputs, GENOMICS, 5)
    assert shuffled.genes is not None
    assert dataset.inputs.genes is not None
    assert not np.array_equal(shuffled.genes, dataset.inputs.genes)
    rows = [tuple(row) for row in shuffled.genes]
    assert sorted(rows) == sorted(tuple(row) for row in dataset.inputs.genes)
    assert shuffled.clinical is dataset.inputs.clinical
    estimator = small_estimator("cox-penalised")
    plan = Plan(dataset, k_folds(240, 2), estimator, (0,), HORIZONS, TIMES, permutations=True)
    result = cross_validate(plan, 1)
    c = {name: float(np.mean(list(fold_seed_cs(p).values()))) for name, p in result.permuted.items()}
    assert c[GENOMICS.value] < mean_c(result) - 0.1
    assert abs(c[CLINICAL.value] - mean_c(result)) < 0.1


@pytest.mark.parametrize("name", estimator_names())
def test_permuting_works_where_modalities_are_missing(name: str) -> None:
    """Shuffling may leave a patient with neither modality; the estimate is then finite and knows nothing of it."""
    dataset = planted_dataset(100, missing=0.35)
    fitted = small_estimator(name).fit(dataset.inputs, dataset.outcome, HORIZONS, 0)
    for modality in (GENOMICS, CLINICAL):
        shuffled = permute_modality(dataset.inputs, modality, 1)
        assert not (shuffled.present[GENOMICS] | shuffled.present[CLINICAL]).all()
        estimates = fitted.predict(shuffled, TIMES[:1])
        assert np.isfinite(estimates.risk).all()
        assert np.isfinite(estimates.survival).all()

"""Runs side by side: the same patients for all, intervals that are paired, and refusals that say why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr
from sksurv.metrics import concordance_index_censored, integrated_brier_score
from sksurv.util import Surv

from core.analysis.comparison_tables import differences_table, forest_numbers, metrics_table, run_names
from core.analysis.run_agreement import agreement
from core.analysis.run_comparison import compare_runs
from core.analysis.run_settings import differences
from core.errors import PrognoscopeError
from core.results.comparing import compare_predictions
from core.results.prediction import Predictions
from core.results.run import Run
from core.statistics.comparison import holm
from tests.results.generated import make_predictions, make_run

PREDICTIONS = {
    "good-1": make_predictions(n=160, seeds=(0, 1)),
    "poor-2": make_predictions(n=160, seeds=(0, 1), signal=0.2, noise_seed=5),
    "fair-3": make_predictions(n=160, seeds=(0,), signal=0.6, noise_seed=9),
}
RUNS = tuple(make_run(name) for name in PREDICTIONS)


def only(predictions: Predictions, keep: np.ndarray) -> Predictions:
    return Predictions(predictions.table[keep].reset_index(drop=True), predictions.times, predictions.survival[keep])


def without(predictions: Predictions, numbers: range) -> Predictions:
    gone = {f"P{i:03d}" for i in numbers}
    return only(predictions, ~predictions.table["id"].isin(gone).to_numpy())


def test_values_and_differences_are_those_of_scikit_survival_on_the_shared_patients() -> None:
    predictions = PREDICTIONS | {"poor-2": without(PREDICTIONS["poor-2"], range(30))}
    found = compare_runs(RUNS[:2], predictions, "poor-2")
    assert len(found.ids) == 130
    assert found.baseline == found.compared[0].run.id == "poor-2"
    expected, brier = {}, {}
    for name in ("good-1", "poor-2"):
        mine = predictions[name].ensemble()
        table = mine.table.set_index("id").loc[list(found.ids)]
        pairs = np.zeros(2)
        for _, fold in table.groupby("fold"):
            _, concordant, discordant, tied, _ = concordance_index_censored(
                fold["event"] == 1, fold["time"], fold["risk"]
            )
            pairs += [concordant + tied / 2, concordant + discordant + tied]
        expected[name] = pairs[0] / pairs[1]
        outcome = Surv.from_arrays(table["event"] == 1, table["time"])
        rows = mine.table["id"].isin(found.ids).to_numpy()
        brier[name] = integrated_brier_score(outcome, outcome, mine.survival[rows], mine.times)
    for name in expected:
        assert found.of(name).values["harrell_c"].value == pytest.approx(expected[name])
        assert found.of(name).values["ibs"].value == pytest.approx(brier[name])
    difference = found.of("good-1").differences
    assert difference["harrell_c"].value == pytest.approx(expected["good-1"] - expected["poor-2"])
    assert difference["ibs"].value == pytest.approx(brier["good-1"] - brier["poor-2"])


def test_intervals_are_paired_a_run_against_its_copy_differs_by_nothing_and_noise_in_common_cancels() -> None:
    copy = {"good-1": PREDICTIONS["good-1"], "copy-2": PREDICTIONS["good-1"]}
    same = compare_runs((make_run("good-1"), make_run("copy-2")), copy, "good-1").of("copy-2")
    assert all((d.value, d.low, d.high) == (0.0, 0.0, 0.0) for d in same.differences.values())
    near = replace(PREDICTIONS["good-1"], survival=PREDICTIONS["good-1"].survival * 0.98)
    found = compare_runs((make_run("good-1"), make_run("near-2")), copy | {"near-2": near}, "good-1").of("near-2")
    alone, paired = found.values["ibs"], found.differences["ibs"]
    assert paired.high - paired.low < 0.3 * (alone.high - alone.low)
    assert paired.low <= paired.value <= paired.high


def test_three_runs_are_compared_on_the_patients_of_all_three_with_holms_correction() -> None:
    predictions = PREDICTIONS | {
        "poor-2": without(PREDICTIONS["poor-2"], range(20)),
        "fair-3": without(PREDICTIONS["fair-3"], range(10, 40)),
    }
    found = compare_runs(RUNS, predictions, "good-1")
    assert set(found.ids) == {f"P{i:03d}" for i in range(40, 160)}
    tests = [c.folds for c in found.compared if c.folds is not None]
    kept = {name: only(p, p.table["id"].isin(found.ids).to_numpy()) for name, p in predictions.items()}
    alone = [compare_predictions(kept[name], kept["good-1"]) for name in ("poor-2", "fair-3")]
    assert [v for t in tests for v in (t.mean, t.p)] == pytest.approx([v for d in alone for v in (d.fold_mean, d.p)])
    assert [t.p_adjusted for t in tests] == pytest.approx(holm([t.p for t in tests]).tolist())
    names = run_names(tuple(c.run for c in found.compared))
    assert len(set(names.values())) == 3
    assert metrics_table(found, names).shape == (1 + len(found.metrics), 4)
    assert differences_table(found, names).shape == (len(found.metrics) + 3, 3)
    numbers = forest_numbers(found, names, "harrell_c")
    assert numbers["difference"].isna().tolist() == [True, False, False]


def test_chosen_patients_alone_are_compared() -> None:
    ids = frozenset(f"P{i:03d}" for i in range(50))
    assert set(compare_runs(RUNS, PREDICTIONS, "good-1", ids).ids) == ids
    with pytest.raises(PrognoscopeError, match="only 9 patients"):
        compare_runs(RUNS, PREDICTIONS, "good-1", frozenset(sorted(ids)[:9]))


def moved(predictions: Predictions, column: str, shift: float) -> Predictions:
    table = predictions.table.copy()
    table[column] = table[column] + shift if column == "time" else (table[column] + shift) % 3
    return replace(predictions, table=table)


@pytest.mark.parametrize(
    ("run", "change", "words"),
    [
        ({"cohort": "other"}, {}, "another cohort"),
        ({"endpoint": "PFS"}, {}, "another endpoint"),
        ({}, {"fold": 1}, "other folds"),
        ({}, {"time": 2.0}, "other outcomes"),
        ({}, {"nobody": 1}, "no patient"),
        ({}, {"few": 1}, "only 10 patients"),
    ],
)
def test_a_run_that_cannot_be_compared_says_why_and_the_others_are(run, change, words) -> None:
    changed: Run = make_run("fair-3", **run)
    odd = PREDICTIONS["fair-3"]
    for column, shift in change.items():
        if column in ("fold", "time"):
            odd = moved(odd, column, shift)
        else:
            odd = without(odd, range(160 if column == "nobody" else 150))
    predictions = PREDICTIONS | {"fair-3": odd}
    found = compare_runs((*RUNS[:2], changed), predictions, "good-1")
    assert [c.run.id for c in found.compared] == ["good-1", "poor-2"]
    assert [r.run.id for r in found.refused] == ["fair-3"]
    assert words in found.refused[0].reason
    with pytest.raises(PrognoscopeError, match=words):
        compare_runs((RUNS[0], changed), predictions, "good-1")


def test_agreement_matches_patients_by_id_and_ranks_within_a_fold() -> None:
    poor, order = PREDICTIONS["poor-2"], np.random.default_rng(0).permutation(320)
    shuffled = Predictions(poor.table.iloc[order].reset_index(drop=True), poor.times, poor.survival[order])
    found = compare_runs(RUNS[:2], PREDICTIONS | {"poor-2": shuffled}, "good-1")
    here = agreement(found, "good-1", "poor-2", 24.0)
    for name, values in (("good-1", here.x), ("poor-2", here.y)):
        mine = PREDICTIONS[name].ensemble()
        at = dict(zip(mine.table["id"], mine.survival_at(24.0), strict=True))
        assert values == pytest.approx([at[i] for i in here.ids])
    assert here.spearman == pytest.approx(spearmanr(here.x, here.y).statistic)
    first = here.table().iloc[0]
    assert abs(first["difference"]) == pytest.approx(np.abs(here.y - here.x).max())
    ranks = agreement(found, "good-1", "poor-2")
    fold = PREDICTIONS["good-1"].ensemble().table.set_index("id")["fold"].loc[list(ranks.ids)].to_numpy()
    for k in range(3):
        inside = np.sort(ranks.x[fold == k])
        assert inside == pytest.approx((np.arange(len(inside)) + 0.5) / len(inside))


def test_only_what_differs_is_listed_and_defaults_are_left_out() -> None:
    first = make_run("a-1", config={"model": {"top_k": 2}, "training": {"epochs": 10, "batch_size": 16}})
    second = make_run(
        "b-2", model="snn", config={"model": {}, "training": {"epochs": 10, "batch_size": 32}}, seeds=(0, 1)
    )
    table = differences((first, second), {"a-1": "A", "b-2": "B"}).set_index("What differs")
    assert table.loc["Model"].tolist() == ["HDMoE", "SNN"]
    assert table.loc["Seeds"].tolist() == ["1", "2"]
    assert table.loc["Experts a token"].tolist() == ["2", "–"]
    assert table.loc["Patients a step"].tolist() == ["16", "32"]
    assert set(table.index) == {"Model", "Seeds", "Experts a token", "Patients a step"}
    assert differences((first, replace(first, id="c-3")), {"a-1": "A", "c-3": "C"}).empty

"""The reader's outcome and groups: what counts, who is left out, and where a fold's threshold cuts."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.analysis.group_survival import SurvivalOptions, analyse_groups
from core.analysis.grouping import Cut, GroupBy, Source, column_groups, everybody, named_groups, risk_groups
from core.analysis.outcome import CompetingAs, make_outcome
from core.cohort.cohort import Cohort
from core.cohort.sample import make_sample_cohort
from core.errors import PrognoscopeError
from core.figures.survival import survival_figure
from core.results.naming import run_words
from core.serving.exports import predictions_csv
from tests.pages.builders import make_predictions, make_run


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return make_sample_cohort()[0]


def rows(cohort: Cohort) -> np.ndarray:
    return np.arange(len(cohort))


def test_a_transplant_counts_as_the_reader_says(cohort: Cohort) -> None:
    stored = cohort.endpoint("DWT")
    codes = {how: make_outcome(cohort, rows(cohort), "DWT", how).codes for how in CompetingAs}
    assert (codes[CompetingAs.COMPETING] == stored.codes).all()
    assert (codes[CompetingAs.CENSORED] == np.where(stored.competing, 0, stored.codes)).all()
    assert (codes[CompetingAs.EVENT] == np.where(stored.competing, 1, stored.codes)).all()
    assert stored.competing.sum() > 0


def test_a_landmark_keeps_those_still_followed_and_counts_the_others(cohort: Cohort) -> None:
    stored = cohort.endpoint("OS")
    outcome = make_outcome(cohort, rows(cohort), "OS", landmark=12.0)
    assert len(outcome) == int((stored.time > 12).sum())
    assert np.allclose(outcome.time, stored.time[outcome.rows] - 12)
    assert sum(e.count for e in outcome.excluded) == len(cohort) - len(outcome)
    assert "12 months after diagnosis" in outcome.time_zero


def test_unknown_times_are_counted_not_dropped_silently(cohort: Cohort) -> None:
    stored = cohort.endpoint("OS")
    time = stored.time.copy()
    time[:7] = np.nan
    holed = replace(cohort, endpoints={"OS": replace(stored, time=time)})
    outcome = make_outcome(holed, rows(cohort), "OS")
    assert [(e.reason, e.count) for e in outcome.excluded] == [("no usable follow-up time", 7)]
    with pytest.raises(PrognoscopeError, match="remove a filter"):
        make_outcome(holed, np.arange(7), "OS")


@pytest.mark.parametrize("cut", [Cut.MEDIAN, Cut.TERTILES])
def test_risk_is_cut_at_the_threshold_of_each_patients_own_fold(cohort: Cohort, cut: Cut) -> None:
    predictions = make_predictions(cohort)
    run = make_run(cohort, predictions)
    moved = {f: {k: v + 0.4 * int(f) for k, v in t.items()} for f, t in run.thresholds.items()}
    outcome = make_outcome(cohort, rows(cohort), "OS")
    grouping = risk_groups(outcome, replace(run, thresholds=moved), predictions, cut)
    ensemble = predictions.ensemble().table.set_index("id")
    for i, name in enumerate(outcome.ids):
        limits = moved[str(ensemble.loc[name, "fold"])]
        keys = ["median"] if cut is Cut.MEDIAN else ["low_tertile", "high_tertile"]
        assert grouping.member[i] == sum(ensemble.loc[name, "risk"] > limits[k] for k in keys)
    assert grouping.badge == "out-of-fold"


def test_in_sample_predictions_carry_their_warning_and_missing_ones_a_count(cohort: Cohort) -> None:
    predictions = make_predictions(cohort)
    run = make_run(cohort, predictions)
    outcome = make_outcome(cohort, rows(cohort), "OS")
    seen = risk_groups(outcome, run, replace(predictions, in_sample=True), Cut.MEDIAN)
    assert seen.badge == "in-sample"
    assert "trained on these patients" in seen.warnings[0]
    keep = (predictions.table["id"] != outcome.ids[0]).to_numpy()
    table = predictions.table[keep].reset_index(drop=True)
    part = replace(predictions, table=table, survival=predictions.survival[keep])
    grouping = risk_groups(outcome, run, part, Cut.MEDIAN)
    assert grouping.member[0] == -1
    assert [e.count for e in grouping.left_out] == [1]


def test_groups_of_an_upstream_run_are_called_optimistic(cohort: Cohort) -> None:
    predictions = make_predictions(cohort)
    outcome = make_outcome(cohort, rows(cohort), "OS")
    upstream = replace(make_run(cohort, predictions), protocol="upstream")
    grouping = risk_groups(outcome, upstream, predictions, Cut.MEDIAN)
    assert grouping.badge == "optimistic"
    assert "chosen on these very patients" in grouping.warnings[0]
    assert grouping.title == "predicted risk (HDMoE)"
    assert "optimistic" in run_words(upstream)
    table = pd.read_csv(io.StringIO(predictions_csv(predictions, "upstream")))
    assert set(table["predicted"]) == {"optimistic"}


def test_a_best_cut_is_not_searched_among_late_entries(cohort: Cohort) -> None:
    stored = cohort.endpoint("OS")
    late = replace(cohort, endpoints={"OS": replace(stored, entry=np.minimum(stored.time / 2, 3.0))})
    with pytest.raises(PrognoscopeError, match="entered late"):
        column_groups(make_outcome(late, rows(late)), late, GroupBy(Source.COLUMN, "afp", Cut.BEST))


def test_a_censored_transplant_is_named_on_the_figure(cohort: Cohort) -> None:
    for how in CompetingAs:
        outcome = make_outcome(cohort, rows(cohort), "DWT", how)
        drawn = survival_figure(analyse_groups(outcome, everybody(outcome), SurvivalOptions()), "t", True)
        axis = drawn.layout.yaxis.title.text
        assert axis.startswith(
            "Free of" if how is not CompetingAs.COMPETING else "Death without transplant, cumulative"
        )
        assert ("counts as censored" in drawn.layout.title.subtitle.text) is (how is CompetingAs.CENSORED)


def test_clinical_cut_points_make_the_albi_grades(cohort: Cohort) -> None:
    outcome = make_outcome(cohort, rows(cohort), "OS")
    by = GroupBy(Source.COLUMN, "albi", Cut.CLINICAL, (-2.6, -1.39))
    grouping = column_groups(outcome, cohort, by)
    grade = cohort.patients["albi_grade"].astype(float).to_numpy()
    known = np.isfinite(grade)
    assert (grouping.member[known] + 1 == grade[known]).all()
    assert (grouping.member[~known] == -1).all()
    assert grouping.left_out[0].count == int((~known).sum())


def test_categories_keep_their_column_words_and_missing_is_counted(cohort: Cohort) -> None:
    outcome = make_outcome(cohort, rows(cohort), "OS")
    grouping = column_groups(outcome, cohort, GroupBy(Source.COLUMN, "stage"))
    assert grouping.names[0].startswith(cohort.label("stage"))
    for index, name in enumerate(grouping.names):
        value = name.rpartition(" ")[2]
        assert int((grouping.member == index).sum()) == int((cohort.patients["stage"] == value).sum())


def test_patients_in_two_named_groups_are_in_neither(cohort: Cohort) -> None:
    outcome = make_outcome(cohort, rows(cohort), "OS")
    grouping = named_groups(outcome, {"a": cohort.ids[:50], "b": cohort.ids[40:90]})
    assert [int((grouping.member == g).sum()) for g in (0, 1)] == [40, 40]
    assert {e.reason: e.count for e in grouping.left_out} == {"in no named group": 150, "in two groups": 10}


def test_a_best_cut_brings_its_adjusted_p(cohort: Cohort) -> None:
    outcome = make_outcome(cohort, rows(cohort), "OS")
    grouping = column_groups(outcome, cohort, GroupBy(Source.COLUMN, "afp", Cut.BEST))
    assert grouping.best_cut is not None
    assert grouping.best_cut.p_adjusted > grouping.best_cut.p_naive
    afp = cohort.patients["afp"].to_numpy(dtype=float)
    assert (grouping.member[afp <= grouping.best_cut.cut] == 0).all()


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (GroupBy(Source.COLUMN, "nonsense"), "choose another column"),
        (GroupBy(Source.COLUMN, "albi", Cut.CLINICAL, ()), "type at least one number"),
    ],
)
def test_a_grouping_that_cannot_be_made_says_what_to_do(cohort: Cohort, by: GroupBy, words: str) -> None:
    with pytest.raises(PrognoscopeError, match=words):
        column_groups(make_outcome(cohort, rows(cohort), "OS"), cohort, by)

"""What the Cohort page counts, and how a run's predictions are judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.analysis.cohort_overview import (
    chartable_columns,
    modality_filters,
    modality_patterns,
    patients_table,
    summarise,
)
from core.analysis.model_quality import assess
from core.cohort.cohort import Cohort
from core.cohort.sample import make_sample_cohort
from core.cohort.selection import CategoryFilter, RangeFilter, Selection
from core.errors import PrognoscopeError
from core.figures.cohort import column_figure, modality_figure
from core.figures.quality import auc_figure, brier_figure, calibration_figure
from core.statistics.brier import brier_score
from core.statistics.kaplan_meier import kaplan_meier, survival_at
from tests.pages.builders import make_large_cohort, make_predictions


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return make_sample_cohort()[0]


def half(cohort: Cohort) -> np.ndarray:
    return np.arange(len(cohort)) % 2 == 0


def test_every_combination_filters_to_its_own_count(cohort: Cohort) -> None:
    patterns = modality_patterns(cohort, half(cohort))
    assert sum(p.total for p in patterns) == len(cohort)
    assert sum(p.selected for p in patterns) == int(half(cohort).sum())
    for pattern in patterns:
        assert Selection(modality_filters(cohort, pattern.code)).apply(cohort).count == pattern.total


def test_every_bar_filters_to_its_own_count(cohort: Cohort) -> None:
    everybody = np.ones(len(cohort), dtype=bool)
    for column in chartable_columns(cohort):
        summary = summarise(cohort, column, everybody)
        assert int(summary.selected.sum()) + (summary.missing if summary.numeric else 0) == len(cohort)
        if summary.numeric:
            whole = RangeFilter(column, float(summary.edges[0]), float(summary.edges[-1]))
            assert Selection((whole,)).apply(cohort).count == int(summary.total.sum())
            continue
        for name, count in zip(summary.names, summary.total, strict=True):
            assert Selection((CategoryFilter(column, (name,)),)).apply(cohort).count == count


def test_the_patients_table_holds_the_selected_and_their_outcome_in_words(cohort: Cohort) -> None:
    table = patients_table(cohort, half(cohort), "OS")
    assert list(table["Patient"]) == list(cohort.patients.index[half(cohort)])
    assert int((table["OS status"] == "death").sum()) == int(cohort.endpoint("OS").event[half(cohort)].sum())


def test_cohort_figures_draw_the_counts(cohort: Cohort) -> None:
    patterns = modality_patterns(cohort, half(cohort))
    figure = modality_figure(patterns, ["genomics", "clinical"], 120, 240, True)
    assert list(figure.data[1].y) == [p.selected for p in patterns]
    assert [c[0] for c in figure.data[1].customdata] == [p.code for p in patterns]
    summary = summarise(cohort, "stage", half(cohort))
    bars = column_figure(summary, True)
    assert list(bars.data[1].x) == list(summary.selected)
    assert "synthetic" in bars.layout.title.subtitle.text


def test_the_brier_null_is_the_training_patients_kaplan_meier() -> None:
    cohort = make_large_cohort(400)
    predictions = make_predictions(cohort, seeds=(0,))
    quality = assess("r", predictions, cohort.ids, (12.0,))
    table = predictions.table
    time, event = table["time"].to_numpy(), table["event"].to_numpy() == 1
    null = np.zeros(len(table))
    for fold in range(5):
        train = (table["fold"] != fold).to_numpy()
        null[~train] = survival_at(kaplan_meier(time[train], event[train]), 12.0).value
    assert quality.horizons[0].brier_null == pytest.approx(brier_score(time, event, null, 12.0))
    assert quality.horizons[0].brier == pytest.approx(brier_score(time, event, predictions.survival_at(12.0), 12.0))
    assert quality.ibs.value < quality.ibs_null.value
    assert 0.5 < quality.horizons[0].auc.low < quality.horizons[0].auc.value < quality.horizons[0].auc.high
    for figure in (calibration_figure, brier_figure, auc_figure):
        drawn = figure(quality, True)
        assert "synthetic" in drawn.layout.title.subtitle.text
        assert "out-of-fold" in drawn.layout.title.subtitle.text


@pytest.mark.parametrize("apart", [0.0, 0.001, -0.001, 0.2])
def test_the_labels_of_the_brier_curves_never_overlap(apart: float) -> None:
    cohort = make_large_cohort(400)
    quality = assess("r", make_predictions(cohort), cohort.ids, (12.0,))
    drawn = brier_figure(replace(quality, brier_null=quality.brier + apart), True)
    low, high = sorted(a.y for a in drawn.layout.annotations)
    axis = drawn.layout.yaxis.range
    pixels = drawn.layout.height - drawn.layout.margin.t - drawn.layout.margin.b
    assert (high - low) / (axis[1] - axis[0]) * pixels >= 17
    assert axis[1] >= max(np.nanmax(trace.y) for trace in drawn.data)
    assert (low + high) / 2 == pytest.approx(np.mean([trace.y[-1] for trace in drawn.data]))


def test_an_upstream_run_is_called_optimistic_on_every_figure() -> None:
    cohort = make_large_cohort(400)
    quality = assess("r", make_predictions(cohort), cohort.ids, (12.0,), "upstream")
    for figure in (calibration_figure, brier_figure, auc_figure):
        assert "optimistic" in figure(quality, True).layout.title.subtitle.text


def test_a_horizon_with_fewer_than_twenty_at_risk_is_not_estimable() -> None:
    cohort = make_large_cohort(60)
    quality = assess("r", make_predictions(cohort), cohort.ids, (12.0, 60.0, 600.0))
    assert quality.horizons[0].auc.value is not None
    for late in quality.horizons[1:]:
        assert late.auc.value is None
        assert late.note
    seen = np.isfinite(quality.brier)
    times = cohort.endpoint().time
    assert all((times >= month).sum() >= 20 for month in quality.times[seen])


def test_in_sample_predictions_are_called_so_and_few_patients_refused() -> None:
    cohort = make_large_cohort(200)
    predictions = replace(make_predictions(cohort), in_sample=True)
    assert assess("r", predictions, cohort.ids, (12.0,)).badge == "in-sample"
    with pytest.raises(PrognoscopeError, match="remove filters until"):
        assess("r", predictions, cohort.ids[:10], (12.0,))

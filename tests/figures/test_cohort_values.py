"""Beeswarm, ranking, dependence and what-if draw what they are given, and hide an order that is not stable."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.cohort_values import shown_features, swarm, swarm_table, unstable_ranks
from core.cohort.sample import make_sample_cohort
from core.figures.cohort_values import beeswarm_figure, dependence_figure, importance_figure
from core.figures.what_if import what_if_figure, what_if_table
from core.results.what_if import TITLE, WhatIf, WhatIfCurve
from tests.pages.explanations import make_cohort_explanation

COHORT = make_sample_cohort()[0]
FOUND = make_cohort_explanation(COHORT)
UNIT = "percentage points of 3-year survival"


def test_every_patient_is_a_point_at_their_effect() -> None:
    rows = shown_features(FOUND, most=3)
    figure = beeswarm_figure(FOUND, rows, str.upper, FOUND.patients[7])
    first = figure.data[0]
    expected = FOUND.contributions[:, 0]
    assert list(first.x) == pytest.approx(expected[np.isfinite(expected)].tolist())
    assert len(first.x) == len(FOUND.patients) - 1
    assert np.abs(np.array(first.y)).max() <= 0.36 + 1e-9
    assert figure.layout.xaxis.title.text.startswith(UNIT)
    assert sum(t.marker.symbol == "diamond" for t in figure.data) == 3
    quiet = beeswarm_figure(FOUND, rows, str.upper, FOUND.patients[7], interactive=False)
    assert not any(t.marker.symbol == "diamond" or t.customdata is not None for t in quiet.data)
    assert not any(p in str(quiet.to_plotly_json()) for p in FOUND.patients)


def test_the_highest_value_has_the_last_colour_and_a_category_none() -> None:
    one = swarm(FOUND, FOUND.ranking()[1])
    values = FOUND.points(one.name)["value"].to_numpy()
    assert one.place[values.argmax()] == 1
    assert one.place[values.argmin()] == 0
    assert np.isnan(swarm(FOUND, "stage").place).all()


def test_an_unstable_order_is_hidden_with_the_reason() -> None:
    unstable = make_cohort_explanation(COHORT, stable_ranks=False, rank_agreement=0.1)
    rows = shown_features(unstable)
    assert list(rows["name"]) == sorted(rows["name"])
    names = beeswarm_figure(unstable, rows, str).layout.yaxis.ticktext
    assert list(names) == list(rows["name"])
    assert "0.10; 0.5 is needed" in unstable_ranks(unstable)
    assert unstable_ranks(FOUND) == ""
    assert "1 (1–2)" in beeswarm_figure(FOUND, shown_features(FOUND), str).layout.yaxis.ticktext[0]


def test_ranking_and_dependence() -> None:
    rows = shown_features(FOUND, "clinical")
    figure = importance_figure(FOUND, rows, str)
    assert list(figure.data[0].x) == rows["importance"].tolist()
    assert list(figure.data[0].error_x.array) == rows["std"].tolist()
    one = dependence_figure(FOUND, "age", COHORT.label, FOUND.patients[0])
    assert len(one.data[0].x) == len(FOUND.patients) - 1
    assert one.data[1].y[0] == pytest.approx(float(FOUND.contributions[0, -2]))
    assert one.layout.yaxis.title.text == UNIT
    levels = dependence_figure(FOUND, "stage", COHORT.label)
    assert list(levels.layout.xaxis.ticktext) == ["A", "B", "C"]
    assert not set(FOUND.patients) & set(swarm_table(FOUND, ("age",)).astype(str).to_numpy().ravel())


def test_what_if_is_titled_so_and_prints_both_numbers() -> None:
    times = np.arange(61.0)
    before, after = np.exp(-0.01 * times), np.exp(-0.02 * times)
    curves = [WhatIfCurve(s, s**1.1, s**0.9) for s in (before, after)]
    found = WhatIf("r", "p", times, *curves, ("age 80 (was 60)",), 3, True)
    figure = what_if_figure(found, 36.0)
    assert TITLE in figure.layout.title.text
    words = figure.layout.annotations[0].text
    assert f"{100 * before[36]:.1f}" in words
    assert f"\N{MINUS SIGN}{100 * (before[36] - after[36]):.1f} points" in words
    assert what_if_table(found)["with the change"].tolist() == after.tolist()
    same = what_if_figure(WhatIf("r", "p", times, curves[0], curves[0], (), 3, True), 36.0)
    assert [t.name for t in same.data if t.name] == ["as recorded"]

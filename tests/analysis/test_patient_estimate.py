"""One number, five presentations that agree exactly; conditional survival against hand computation; the spread of only
the models that never saw the patient."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from core.analysis.patient_estimate import Number, PatientEstimate, Spread, own_estimate, value_at
from core.analysis.patient_presentations import bars, conditional_table, icons, lower_than, numbers_of, sentences
from core.analysis.patient_sentences import count_words, model_spread, month_words, percent_words
from core.cohort.endpoint import Endpoint
from core.figures.patient_bars import bars_figure
from core.figures.patient_curve import CourseWords, course_figure
from core.figures.patient_icons import icons_figure
from core.results.own_support import Support
from core.results.prediction import COLUMNS, Predictions

TIMES = np.array([6.0, 12.0, 24.0, 36.0, 60.0])
HORIZONS = (12.0, 36.0, 60.0)
NOTHING = np.zeros(1, dtype=bool)
OS = Endpoint("OS", "Overall survival", "diagnosis", np.zeros(1), np.ones(1), ~NOTHING, NOTHING)
WORDS = CourseWords("Course", "alive", "diagnosis", True)


def estimate(members: np.ndarray, support: Support | None = None) -> PatientEstimate:
    members = np.atleast_2d(members)
    several = np.where(len(members) > 1, 1.0, np.nan)  # one model has no spread
    return PatientEstimate(
        "A", TIMES, members.mean(axis=0), members, several * members.min(axis=0), several * members.max(axis=0),
        len(members), True,
        Spread.RANGE, HORIZONS, support,
    )  # fmt: skip


def random_estimates(n: int) -> list[PatientEstimate]:
    """Falling curves of one to ten models, among them ones that nearly nobody or nearly everybody survives."""
    random = np.random.default_rng(11)
    found = []
    for _ in range(n):
        steps = random.random((int(random.integers(1, 11)), len(TIMES))) ** random.choice([0.001, 0.1, 1.0, 8.0])
        found.append(estimate(np.cumprod(steps, axis=1)))
    return found


@pytest.mark.parametrize("one", random_estimates(60))
def test_five_presentations_say_the_same(one: PatientEstimate) -> None:
    month = 36.0
    number = one.at(month)
    assert number is not None
    expected = percent_words(number.value)
    assert expected in {"< 1 %", "> 99 %", f"{round(100 * number.value)} %", f"{number.of_hundred} %"}
    assert abs(number.of_hundred - 100 * number.value) <= 0.5

    said = sentences(one, month, OS)[0]
    counted = re.search(r"(fewer than 1|more than 99|\d+) of 100 patients", said, re.IGNORECASE)
    assert counted is not None
    assert counted[1].lower().replace("fewer than", "<").replace("more than", ">") + " %" == expected

    assert sum(icons(number)) == number.of_hundred
    grid = icons_figure(number, "alive", "", True).data
    assert [len(trace.x) for trace in grid] == [number.of_hundred, 100 - number.of_hundred]

    bar = next(b for b in bars(one) if b.month == month)
    assert (bar.length, bar.words) == (number.of_hundred, expected)
    drawn = bars_figure(bars(one), month, "alive", "", True)
    assert drawn.data[0].x[1] == number.of_hundred
    assert f"<b>{expected}</b>" in [a.text for a in drawn.layout.annotations]

    curve = course_figure(one, month, WORDS)
    assert f"<b>{expected}</b><br>3 years" in [a.text for a in curve.layout.annotations]
    mark = next(t for t in curve.data if t.name == "The shown month")
    assert percent_words(float(mark.y[0])) == expected

    table = numbers_of(one, "alive").set_index("After")
    assert table.loc["3 years", "Alive"] == expected
    assert table.loc["3 years", "Of 100"] == count_words(number.value)


def test_conditional_survival_by_hand() -> None:
    one = estimate(np.array([[0.9, 0.8, 0.6, 0.4, 0.2], [0.8, 0.6, 0.5, 0.4, 0.1]]))
    found = one.given_alive(12.0, 36.0)
    assert found is not None
    assert found.value == pytest.approx(0.4 / 0.7)
    assert (found.low, found.high) == (pytest.approx(0.4 / 0.8), pytest.approx(0.4 / 0.6))
    assert one.given_alive(36.0, 12.0) is None
    same = one.given_alive(0.0, 36.0)
    assert same == one.at(36.0)
    table = conditional_table(one, "alive").set_index("If")
    assert table.loc["Alive after 1 year", "after 3 years"] == "57 %"  # 0.4 / 0.7
    assert table.loc["At the start", "after 3 years"] == "40 %"
    assert table.loc["Alive after 3 years", "after 1 year"] == ""
    assert list(table.index)[-1] == "Alive after 3 years"  # nothing can follow the last horizon


def test_between_the_grid_survival_falls_with_a_constant_hazard() -> None:
    curve = np.exp(-0.02 * TIMES)
    for month in (1.0, 9.0, 17.5, 50.0):
        assert value_at(TIMES, curve, month) == pytest.approx(np.exp(-0.02 * month))
    assert np.isnan(value_at(TIMES, curve, 61.0))


def make_predictions() -> Predictions:
    rows = [("A", 0, s, 0.0, 10.0, 1, 0.5) for s in range(4)] + [("B", 1, s, 0.0, 20.0, 0, 0.1) for s in range(4)]
    curves = np.array(
        [[0.9, 0.8, 0.7, 0.6 - 0.05 * s, np.nan] for s in range(4)] + [[0.99, 0.98, 0.97, 0.96, 0.95]] * 4
    )
    return Predictions(pd.DataFrame(rows, columns=list(COLUMNS)), TIMES, curves)


def test_only_models_that_never_saw_the_patient_speak() -> None:
    one = own_estimate("A", make_predictions(), HORIZONS, None)
    assert one is not None
    assert (one.models, one.unseen) == (4, True)
    number = one.at(36.0)
    assert number is not None
    assert number.value == pytest.approx(0.525)
    assert (number.low, number.high) == (pytest.approx(0.45), pytest.approx(0.6))
    assert own_estimate("nobody", make_predictions(), HORIZONS, None) is None
    words = model_spread(number, one)
    assert words.startswith("The 4 models that never saw this patient say between 45 and 60 of 100")
    assert "differ somewhat" in words


def test_a_month_without_an_estimate_says_so_everywhere() -> None:
    one = own_estimate("A", make_predictions(), HORIZONS, None)
    assert one is not None
    assert one.at(60.0) is None
    assert one.last_month == 36.0
    assert "fewer than 20 training patients" in sentences(one, 60.0, OS)[0]
    assert bars(one)[-1].words == "not estimable"
    assert bars(one)[-1].length is None
    assert numbers_of(one, "alive").iloc[-1]["Alive"] == "not estimable"
    assert "after 5 years" not in conditional_table(one, "alive").columns


def test_one_model_has_no_spread_and_says_why() -> None:
    one = estimate(np.array([0.9, 0.8, 0.6, 0.4, 0.2]))
    number = one.at(36.0)
    assert number is not None
    assert number.low is None
    assert "One model speaks here" in model_spread(number, one)


def test_outside_the_support_the_reason_stands_in_the_numbers_place() -> None:
    one = estimate(np.array([0.9, 0.8, 0.6, 0.4, 0.2]), Support(False, "clinical 2.1 times as far", 2.1))
    assert one.refused == "clinical 2.1 times as far"
    assert not estimate(np.array([0.9, 0.8, 0.6, 0.4, 0.2]), Support(True, "", 0.4)).refused


@pytest.mark.parametrize(
    ("value", "words"), [(0.0, "0 %"), (0.004, "< 1 %"), (0.005, "1 %"), (0.624, "62 %"), (0.625, "63 %"),
                         (0.995, "> 99 %"), (0.99, "99 %"), (1.0, "100 %")],
)  # fmt: skip
def test_percent_in_words(value: float, words: str) -> None:
    assert percent_words(value) == words
    assert len([i for i in icons(Number(value, None, None)) if i]) == Number(value, None, None).of_hundred


def test_months_and_places_in_words() -> None:
    assert [month_words(m) for m in (1.0, 6.0, 12.0, 18.0, 36.0)] == [
        "1 month", "6 months", "1 year", "18 months", "3 years",
    ]  # fmt: skip
    assert lower_than(np.array([0.1, 0.5, 0.9, np.nan]), 0.5) == (1, 3)

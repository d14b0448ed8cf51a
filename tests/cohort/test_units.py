"""Laboratory units: converted where the row's own range is clear, missing where it is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cohort.liver_scores import albi, albi_grade, log10_afp
from core.cohort.units import (
    ALBUMIN,
    BILIRUBIN,
    CREATININE,
    INR,
    PLATELETS,
    PROTHROMBIN,
    Analyte,
    harmonise,
)

NAN = float("nan")
ROWS: list[tuple[Analyte, float, float, float, float]] = [
    # analyte, value, lower and upper limit of the printed range, expected
    (ALBUMIN, 4.2, 3.5, 5.0, 4.2),
    (ALBUMIN, 44, 36, 50, 4.4),
    (ALBUMIN, 0.4, 0.3, 0.5, 4.0),
    (ALBUMIN, 5200, 3800, 5100, 5.2),
    (ALBUMIN, 8.0, 3.8, 5.1, NAN),  # no living patient
    (ALBUMIN, 4.0, 36, 50, NAN),  # value and range contradict each other
    (ALBUMIN, 3.9, NAN, NAN, 3.9),  # only g/dL makes it possible
    (BILIRUBIN, 0.7, 0.2, 1.2, 0.7),
    (BILIRUBIN, 17.104, 0, 21, 1.0),
    (BILIRUBIN, 0.2, NAN, 1.2, 0.2),  # the upper limit alone decides
    (BILIRUBIN, 5.0, NAN, NAN, NAN),  # 5 mg/dL or 5 µmol/L
    (BILIRUBIN, 1.0, 1, 2, NAN),  # no normal range of bilirubin
    (INR, 1.1, 0.9, 1.2, 1.1),
    (INR, 1.3, 1.0, 1.0, 1.3),
    (INR, 11.5, 9.5, 13.8, NAN),  # seconds
    (INR, 6.9, NAN, NAN, NAN),  # a ratio or seconds
    (PROTHROMBIN, 11.5, 9.5, 13.8, 11.5),
    (PROTHROMBIN, 1.1, 0.9, 1.2, NAN),
    (PLATELETS, 187, 150, 400, 187),
    (PLATELETS, 204_000, 150_000, 450_000, 204),
    (PLATELETS, 225, 150_000, 400_000, NAN),
    (PLATELETS, 450_000, 150, 440, NAN),
    (PLATELETS, 4, 0, 6, NAN),
    (CREATININE, 0.9, 0.7, 1.5, 0.9),
    (CREATININE, 88.42, 62, 106, 1.0),
    (CREATININE, 54, 4.1, 5.9, NAN),
    (CREATININE, 15, NAN, NAN, NAN),
]


@pytest.mark.parametrize(("analyte", "value", "low", "high", "expected"), ROWS)
def test_each_kind_of_row_of_the_real_file(
    analyte: Analyte, value: float, low: float, high: float, expected: float
) -> None:
    result = harmonise(analyte, np.array([value]), np.array([low]), np.array([high]))
    np.testing.assert_allclose(result.values, [expected], rtol=1e-6)
    changed = not np.isclose(expected, value)
    assert bool(result.warnings) == changed  # nothing is changed or dropped in silence


def test_warnings_count_conversions_and_losses_apart() -> None:
    rows = [r[1:4] for r in ROWS if r[0] is ALBUMIN]
    values, low, high = (np.array(c, dtype=float) for c in zip(*rows, strict=True))
    assert harmonise(ALBUMIN, values, low, high).warnings == (
        "albumin: 1 in g/L converted to g/dL.",
        "albumin: 1 in g/dL, ten-fold low converted to g/dL.",
        "albumin: 1 in mg/dL converted to g/dL.",
        "albumin: 2 whose unit is not certain from the row's normal range: set missing.",
    )
    missing = np.array([NAN])
    assert harmonise(ALBUMIN, missing, missing, missing).warnings == ()


@given(
    st.sampled_from([ALBUMIN, BILIRUBIN, INR, PLATELETS, CREATININE]),
    st.floats(0, 1e6),
    st.none() | st.floats(0, 1e6),
    st.none() | st.floats(0, 1e6),
)
def test_a_result_is_missing_or_possible_in_a_living_patient(
    analyte: Analyte, value: float, low: float | None, high: float | None
) -> None:
    limits = [np.array([NAN if x is None else x]) for x in (low, high)]
    result = harmonise(analyte, np.array([value]), *limits).values[0]
    assert np.isnan(result) or analyte.possible[0] <= result <= analyte.possible[1]


@given(st.floats(2.0, 5.5), st.sampled_from([(1, 3.5, 5.0), (10, 35, 50), (0.1, 0.35, 0.5)]))
def test_the_same_blood_has_one_albumin_in_every_unit(grams: float, unit: tuple[float, float, float]) -> None:
    factor, low, high = unit
    result = harmonise(ALBUMIN, np.array([grams * factor]), np.array([low]), np.array([high]))
    np.testing.assert_allclose(result.values, [grams])


def test_albi_equals_its_published_formula_and_cuts() -> None:
    # 10 µmol/L and 40 g/L: 0.66 · 1 - 0.085 · 40
    np.testing.assert_allclose(albi(np.array([10.0]), np.array([40.0])), [-2.74])
    assert np.isnan(albi(np.array([0.0, NAN]), np.array([40.0, 40.0]))).all()
    assert albi_grade(np.array([-2.61, -2.60, -2.59, -1.39, -1.38, NAN])).tolist() == ["1", "1", "2", "2", "3", None]


def test_afp_of_zero_has_no_logarithm() -> None:
    np.testing.assert_allclose(log10_afp(np.array([1000.0, 0.0, NAN])), [3, NAN, NAN])

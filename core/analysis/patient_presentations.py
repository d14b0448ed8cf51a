"""One number, presented five ways that agree exactly: sentence, icons, curve, bar, table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from core.analysis.patient_estimate import FEWEST_AT_RISK, Number, PatientEstimate
from core.analysis.patient_history import NOT_ESTIMABLE, spread_words
from core.analysis.patient_sentences import (
    chance,
    count_words,
    headline,
    model_spread,
    month_words,
    percent_words,
    say,
)
from core.arrays import FloatArray
from core.cohort.endpoint import Endpoint
from core.statistics.kaplan_meier import SurvivalCurve


class Presentation(StrEnum):
    """The ways to read the same number; the value is the word on the switch."""

    CURVE = "Curve"
    ICONS = "Icons"
    BAR = "Bar"
    TABLE = "Table"
    SENTENCE = "Sentence"


@dataclass(frozen=True)
class Bar:
    """One horizon: ``length`` whole percent, None where not estimable; ``words`` its label; ``low``, ``high`` whole
    percent of the model spread."""

    month: float
    length: int | None
    words: str
    low: int | None
    high: int | None


def icons(number: Number) -> tuple[bool, ...]:
    """100 patients, row by row: True for those without the event."""
    return tuple(i < number.of_hundred for i in range(100))


def bars(estimate: PatientEstimate) -> tuple[Bar, ...]:
    """One bar a horizon of the run."""
    return tuple(_bar(month, estimate.at(month)) for month in estimate.horizons)


def _bar(month: float, number: Number | None) -> Bar:
    if number is None:
        return Bar(month, None, NOT_ESTIMABLE, None, None)
    low, high = (None if v is None else Number(v, None, None).of_hundred for v in (number.low, number.high))
    return Bar(month, number.of_hundred, percent_words(number.value), low, high)


def numbers_of(estimate: PatientEstimate, state: str) -> pd.DataFrame:
    """The table: one row a horizon."""
    rows = []
    for month in estimate.horizons:
        number = estimate.at(month)
        rows.append(
            {
                "After": month_words(month),
                f"{state[:1].upper()}{state[1:]}": NOT_ESTIMABLE if number is None else percent_words(number.value),
                "Of 100": "–" if number is None else count_words(number.value),
                "Models differ": spread_words(estimate, month),
            }
        )
    return pd.DataFrame(rows)


def sentences(estimate: PatientEstimate, month: float, endpoint: Endpoint) -> tuple[str, ...]:
    """The sentence presentation: frequency, what it cannot tell, how far models differ."""
    number = estimate.at(month)
    if number is None:
        return (say("not_estimable", when=month_words(month), fewest=FEWEST_AT_RISK),)
    found = (headline(number, month, endpoint), chance(number), model_spread(number, estimate))
    return tuple(s for s in found if s)


def conditional_table(estimate: PatientEstimate, state: str) -> pd.DataFrame:
    """S(t | alive at s): one row a month s already reached, one column a horizon t that can be estimated."""
    months = [h for h in estimate.horizons if estimate.at(h) is not None]
    reached = sorted({0.0, 6.0, *months})
    rows = []
    for given in reached:
        if not any(m > given for m in months):
            continue
        cells = {f"after {month_words(m)}": _given(estimate, given, m) for m in months}
        start = "At the start" if given == 0 else f"{state[:1].upper()}{state[1:]} after {month_words(given)}"
        rows.append({"If": start} | cells)
    return pd.DataFrame(rows)


def _given(estimate: PatientEstimate, reached: float, month: float) -> str:
    if month <= reached:
        return ""
    number = estimate.given_alive(reached, month)
    return NOT_ESTIMABLE if number is None else percent_words(number.value)


def lower_than(values: FloatArray, own: float) -> tuple[int, int]:
    """How many of the (n,) others' values are higher than ``own``, and how many others are known."""
    known = values[np.isfinite(values)]
    return int((known > own).sum()), len(known)


def drawn_table(estimate: PatientEstimate, reference: SurvivalCurve | None = None) -> pd.DataFrame:
    """The drawn curves: the estimate with its spread, and the observed course of comparable patients.

    Returns
    -------
    DataFrame
        ``curve`` · ``month`` · ``S`` · ``low``, ``high`` the model spread, or the 95 % interval of the observed course,
        which also has ``at_risk`` just before ``month`` and ``events`` then.
    """
    own = pd.DataFrame(
        {"curve": "estimate", "month": estimate.times, "S": estimate.survival, "low": estimate.low,
         "high": estimate.high}
    ).dropna(subset=["S"])  # fmt: skip
    if reference is None:
        return own
    steps = {"month": reference.time, "S": reference.survival, "low": reference.low, "high": reference.high,
             "at_risk": reference.at_risk, "events": reference.events}  # fmt: skip
    return pd.concat([own, pd.DataFrame({"curve": "comparable patients", **steps})], ignore_index=True)

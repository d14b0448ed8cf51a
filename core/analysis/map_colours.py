"""What a map of patients may be coloured by: estimates, outcome, gates, any column of the cohort."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.outcome import Outcome
from core.analysis.points import month_words
from core.arrays import FloatArray
from core.cohort.cohort import Cohort
from core.results.routing_record import RoutingRecord

MOST_LEVELS = 10
ESTIMATE, EVENT, TIME, FOLD = "estimate", "event", "time", "fold"
_COLUMN, _GATE = "column:", "gate:"


@dataclass(frozen=True, eq=False)
class Colour:
    """What the points are coloured by: ``name``; numbers (n,) with NaN where unknown, or ``words`` (n,) with ""."""

    name: str
    numbers: FloatArray | None = None
    words: tuple[str, ...] = ()


def colour_choices(cohort: Cohort, record: RoutingRecord) -> dict[str, str]:
    """Key → words."""
    found = {ESTIMATE: f"estimated {month_words(record.month)}, %", EVENT: "event", TIME: "follow-up", FOLD: "fold"}
    for level in record.levels.values():
        if level.comparable:
            found |= {f"{_GATE}{level.name}:{i}": f"gate mass: {level.name}, {e}" for i, e in enumerate(level.experts)}
    for column in cohort.patients.columns:
        values = cohort.patients[column]
        if pd.api.types.is_numeric_dtype(values) or 2 <= values.nunique() <= MOST_LEVELS:
            found[f"{_COLUMN}{column}"] = cohort.label(column)
    return found


def colour_of(cohort: Cohort, record: RoutingRecord, outcome: Outcome, key: str) -> Colour:
    """The values of one choice for the record's patients, in its order."""
    words = colour_choices(cohort, record)[key]
    if key == ESTIMATE:
        return Colour(words, record.estimate.mean(axis=0).astype(float))
    if key == FOLD:
        return Colour(words, words=tuple(f"fold {f + 1}" for f in record.fold))
    place = {patient: i for i, patient in enumerate(outcome.ids)}
    if key == EVENT:
        names = {0: "censored", 1: outcome.event_label, 2: outcome.competing_label or "competing event"}
        return Colour(words, words=tuple(names[int(outcome.codes[place[i]])] if i in place else "" for i in record.ids))
    if key == TIME:
        months = [float(outcome.time[place[i]]) if i in place else np.nan for i in record.ids]
        return Colour("follow-up, months", np.array(months))
    if key.startswith(_GATE):
        name, _, number = key.removeprefix(_GATE).rpartition(":")
        return Colour(words, record.levels[name].mass.mean(axis=0)[:, int(number)].astype(float))
    column = cohort.patients[key.removeprefix(_COLUMN)].reindex(list(record.ids))
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column) and column.nunique() > 5:
        return Colour(words, column.to_numpy(dtype=float, na_value=np.nan))
    return Colour(words, words=tuple("" if pd.isna(v) else str(v) for v in column))

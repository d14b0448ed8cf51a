"""How a run does among men and women, ages, stages and sites: ranking and calibration-in-the-large, with intervals."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.analysis.patient_markers import age_column, sex_column, stage_column
from core.arrays import BoolArray
from core.cohort.cohort import Cohort, Role
from core.results.prediction import Predictions
from core.statistics.comparison import bootstrap_harrell_c
from core.statistics.discrimination import harrell_c
from core.statistics.estimate import Estimate
from core.statistics.kaplan_meier import at_risk_at, kaplan_meier, survival_at

FEWEST_PATIENTS, FEWEST_EVENTS, FEWEST_AT_RISK = 20, 5, 10
MOST_BOOTSTRAPPED = 1500
MOST_SITES = 8
AGES = (50.0, 60.0, 70.0)
"""Limits between age groups, in years: the same in every cohort, so that cards can be read side by side."""


@dataclass(frozen=True)
class Subgroup:
    """One group.

    ``variable`` and ``level`` in words · ``c`` Harrell's C over pairs within a fold · ``predicted`` mean S(month) ·
    ``observed`` Kaplan-Meier S(month) · ``difference`` predicted − observed (positive: the run is too hopeful) ·
    ``note`` why a number is missing · ``behind`` its patients, unnamed: ``fold``, ``time``, ``event``, ``risk``,
    ``predicted`` S(month); nobody where the group is too small to judge.
    """

    variable: str
    level: str
    n: int
    events: int
    c: Estimate
    predicted: float | None
    observed: Estimate
    difference: Estimate
    note: str = ""
    behind: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False, compare=False)


def subgroups_of(cohort: Cohort, predictions: Predictions, month: float, repeats: int = 500) -> tuple[Subgroup, ...]:
    """Everybody first, then each level of sex, age, stage and site.

    Parameters
    ----------
    predictions : Predictions
        Out-of-fold.
    month : float
        Of the calibration-in-the-large.
    """
    ensemble = predictions.ensemble()
    ids = ensemble.table["id"]
    found = [_subgroup("Everybody", "", np.ones(len(ids), dtype=bool), ensemble, month, repeats)]
    for variable, levels in _variables(cohort.patients.reindex(ids), cohort):
        for level in pd.unique(levels.dropna()) if levels.dtype.name != "category" else levels.cat.categories:
            inside = np.asarray(levels.eq(level).fillna(False), dtype=bool)
            if inside.any():
                found.append(_subgroup(variable, str(level), inside, ensemble, month, repeats))
        unknown = levels.isna().to_numpy()
        if unknown.any():
            found.append(_subgroup(variable, "not known", unknown, ensemble, month, repeats))
    return tuple(found)


def _variables(patients: pd.DataFrame, cohort: Cohort) -> list[tuple[str, pd.Series]]:
    """Words and ordered levels of each variable the cohort has, for the rows of ``patients``."""
    found: list[tuple[str, pd.Series]] = []
    sex, age, stage = sex_column(cohort), age_column(cohort), stage_column(cohort)
    if sex:
        found.append((_capital(cohort.label(sex)), _ordered(patients[sex])))
    if age:
        years = pd.to_numeric(patients[age], errors="coerce")
        names = [f"under {AGES[0]:g}", *(f"{a:g} to {b - 1:g}" for a, b in itertools.pairwise(AGES)),
                 f"{AGES[-1]:g} and over"]  # fmt: skip
        found.append(("Age, years", pd.cut(years, [-np.inf, *AGES, np.inf], right=False, labels=names)))
    if stage:
        found.append((_capital(cohort.label(stage)), _ordered(patients[stage])))
    sites = cohort.columns(Role.SITE)
    if sites:
        found.append(("Site", _largest(patients[sites[0]])))
    return found


def _ordered(values: pd.Series) -> pd.Series:
    text = values.map(lambda v: f"{v:g}" if isinstance(v, float) else str(v), na_action="ignore").astype(object)
    return pd.Series(pd.Categorical(text, categories=sorted(text.dropna().unique())), index=values.index)


def _largest(values: pd.Series) -> pd.Series:
    """The largest sites by name, the others together."""
    text = values.astype("string").astype(object).where(values.notna(), None)
    counts = text.dropna().value_counts()
    if len(counts) <= MOST_SITES + 1:
        return _ordered(text)
    named = list(counts.index[:MOST_SITES])
    others = f"{len(counts) - MOST_SITES} smaller sites"
    joined = text.where(text.isna() | text.isin(named), others)
    return pd.Series(pd.Categorical(joined, categories=[*named, others]), index=values.index)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _subgroup(
    variable: str, level: str, inside: BoolArray, ensemble: Predictions, month: float, repeats: int
) -> Subgroup:
    table = ensemble.table[inside]
    time, event = table["time"].to_numpy(dtype=float), table["event"].to_numpy() == 1
    n, events, nothing = len(table), int(event.sum()), Estimate(None)
    if n < FEWEST_PATIENTS or events < FEWEST_EVENTS:
        note = f"too few to judge: {FEWEST_PATIENTS} patients and {FEWEST_EVENTS} events are needed"
        return Subgroup(variable, level, n, events, nothing, None, nothing, nothing, note)
    survival = ensemble.survival_at(month)[inside]
    behind = table[["fold", "time", "risk"]].assign(event=event.astype(int), predicted=survival)
    c = _concordance(time, event, table["risk"].to_numpy(dtype=float), table["fold"].to_numpy(), repeats)
    curve = kaplan_meier(time, event)
    observed = survival_at(curve, month)
    if not np.isfinite(survival).all():
        words = f"{int((~np.isfinite(survival)).sum())} of them have no estimate at month {month:g}"
        return Subgroup(variable, level, n, events, c, None, observed, nothing, words, behind)
    predicted = float(survival.mean())
    if observed.value is None or at_risk_at(curve, month) < FEWEST_AT_RISK:
        words = f"fewer than {FEWEST_AT_RISK} of them followed to month {month:g}"
        return Subgroup(variable, level, n, events, c, predicted, nothing, nothing, words, behind)
    low, high = observed.low, observed.high
    difference = Estimate(
        predicted - observed.value, None if high is None else predicted - high, None if low is None else predicted - low
    )
    return Subgroup(variable, level, n, events, c, predicted, observed, difference, behind=behind)


def _concordance(
    time: np.ndarray, event: np.ndarray, risk: np.ndarray, fold: np.ndarray, repeats: int
) -> Estimate:  # fmt: skip
    if len(time) > MOST_BOOTSTRAPPED:
        value = harrell_c(time, event, risk, fold)
        return Estimate(value, note=f"no interval above {MOST_BOOTSTRAPPED} patients")
    found = bootstrap_harrell_c(time, event, risk, fold, repeats)
    if not np.isfinite(found.mean):
        return Estimate(None, note="no comparable pair within a fold")
    low, high = (None if np.isnan(v) else float(v) for v in (found.low, found.high))
    return Estimate(float(found.mean), low, high)


def off_the_mark(found: tuple[Subgroup, ...]) -> tuple[Subgroup, ...]:
    """Groups whose mean estimate lies outside the interval of what was observed."""
    return tuple(
        s for s in found
        if s.difference.low is not None and s.difference.high is not None and s.difference.low * s.difference.high > 0
    )  # fmt: skip


def group_numbers(found: tuple[Subgroup, ...]) -> pd.DataFrame:
    """Every number of every group, empty where it is not estimable: the CSV of the figures."""
    rows = []
    for s in found:
        row: dict[str, object] = {"variable": s.variable, "level": s.level, "patients": s.n, "events": s.events}
        for name, part in (("c", s.c), ("observed", s.observed), ("difference", s.difference)):
            row |= {name: part.value, f"{name} low": part.low, f"{name} high": part.high}
        rows.append(row | {"predicted": s.predicted, "note": s.note})
    return pd.DataFrame(rows)


def groups_behind(found: tuple[Subgroup, ...]) -> pd.DataFrame:
    """The patients of every judged group under each other, in an order that says nothing: ``variable``, ``level``,
    ``fold``, ``time``, ``event``, ``risk``, ``predicted``. Who is in several groups stands there as often."""
    columns = ["variable", "level", "fold", "time", "event", "risk", "predicted"]
    parts = [s.behind.assign(variable=s.variable, level=s.level) for s in found if len(s.behind)]
    if not parts:
        return pd.DataFrame(columns=columns)
    listed = [part[columns].sort_values(["time", "event", "risk", "predicted"]) for part in parts]
    return pd.concat(listed, ignore_index=True)

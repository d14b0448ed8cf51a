"""Who is compared with whom: risk groups of a run, a clinical column, a cut-point, or named groups."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from core.analysis.outcome import Outcome
from core.arrays import FloatArray, IntArray
from core.cohort.cohort import Cohort, Exclusion, Role
from core.errors import PrognoscopeError
from core.results.naming import IN_SAMPLE, OPTIMISTIC, badge, model_words
from core.results.prediction import Predictions
from core.results.run import Run
from core.statistics.cutpoints import BestCut, best_cut, clinical_groups, median_cut, tertile_cuts

_SHORT = 3
"""A category this short ("A", "II") is shown with its column's words, or nobody would know what it is."""

MOST_GROUPS = 8
"""More groups than this cannot be told apart in one figure; of more cancers than this the largest are shown."""

FEWEST_DISTINCT = 6
"""A numeric column with fewer different values is treated as categories."""


class Source(StrEnum):
    """What the groups come from."""

    NONE = "none"
    RISK = "risk"
    COLUMN = "column"
    NAMED = "named"


class Cut(StrEnum):
    """How a number is cut into groups; only the first three are fixed before the outcome is looked at."""

    MEDIAN = "median"
    TERTILES = "tertiles"
    CLINICAL = "clinical"
    BEST = "best"


@dataclass(frozen=True)
class GroupBy:
    """The reader's choice. ``column`` and ``points`` (ascending cut-points) are used where the source needs them."""

    source: Source = Source.NONE
    column: str = ""
    cut: Cut = Cut.MEDIAN
    points: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Grouping:
    """Groups of the ``n`` patients of an outcome.

    Parameters
    ----------
    title : str
        What the groups are, for a title: ``"predicted risk (HDMoE)"``.
    names : tuple of str
        Group names, the reference first.
    member : (n,) int array
        Index into ``names``; -1 = in no group.
    badge : str
        ``"out-of-fold"``, ``"optimistic"`` or ``"in-sample"`` for groups a model made, else empty.
    left_out : tuple of Exclusion
        Patients in no group, and why.
    best_cut : BestCut or None
        The cut that was searched for on these very patients.
    warnings : tuple of str
    """

    title: str
    names: tuple[str, ...]
    member: IntArray
    badge: str = ""
    left_out: tuple[Exclusion, ...] = ()
    best_cut: BestCut | None = None
    warnings: tuple[str, ...] = ()


def everybody(outcome: Outcome) -> Grouping:
    """One group of all patients."""
    return Grouping("all patients", ("Selected patients",), np.zeros(len(outcome), dtype=np.int64))


def is_numeric(cohort: Cohort, column: str) -> bool:
    """True when a column holds numbers with enough different values to be cut."""
    values = cohort.patients[column]
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return bool(numeric) and int(values.nunique()) >= FEWEST_DISTINCT


def group_columns(cohort: Cohort) -> tuple[str, ...]:
    """Columns that can make groups: the cancer first, numbers to cut, categories with 2 to :data:`MOST_GROUPS` values.

    A cohort of several cancers can always be grouped by cancer, however many there are.
    """
    counts = {c: int(cohort.patients[c].nunique()) for c in cohort.patients.columns}
    cancers = tuple(c for c in cohort.columns(Role.CANCER) if counts[c] > 1)
    rest = (c for c, k in counts.items() if is_numeric(cohort, c) or 2 <= k <= MOST_GROUPS)
    return (*cancers, *(c for c in rest if c not in cancers))


def risk_groups(outcome: Outcome, run: Run, predictions: Predictions, cut: Cut) -> Grouping:
    """Groups of predicted risk, cut where each patient's fold put the threshold on its *training* patients.

    Raises
    ------
    PrognoscopeError
        When the cut is not one that is fixed in training, or the run holds no prediction for these patients.
    """
    if cut not in (Cut.MEDIAN, Cut.TERTILES):
        raise PrognoscopeError(f"a {cut} cut of predicted risk", "the grouping", "use the median or the tertiles")
    keys = ("median",) if cut is Cut.MEDIAN else ("low_tertile", "high_tertile")
    names = ("Lower risk", "Higher risk") if cut is Cut.MEDIAN else ("Low risk", "Intermediate risk", "High risk")
    ensemble = predictions.ensemble().table.set_index("id")[["risk", "fold"]]
    found = ensemble.reindex(list(outcome.ids))
    have = found["risk"].notna().to_numpy()
    if not have.any():
        raise PrognoscopeError(
            "no prediction for the selected patients", f"run {run.id}", "choose a run of this cohort or remove filters"
        )
    member = np.full(len(outcome), -1, dtype=np.int64)
    member[have] = 0
    folds = found["fold"].to_numpy(dtype=float)[have].astype(int)
    risks = found["risk"].to_numpy(dtype=float)[have]
    for key in keys:
        limits = np.array([float(run.thresholds[str(fold)][key]) for fold in folds])
        member[have] += risks > limits
    return Grouping(
        title=f"predicted risk ({model_words(run.model)})",
        names=names,
        member=member,
        badge=badge(run.protocol, predictions.in_sample),
        left_out=_left_out((f"no prediction in run {run.id}", int((~have).sum()))),
        warnings=_circular_warning(badge(run.protocol, predictions.in_sample)),
    )


def _circular_warning(word: str) -> tuple[str, ...]:
    if word == IN_SAMPLE:
        return ("In-sample: the model was trained on these patients, so the groups differ by construction.",)
    if word == OPTIMISTIC:
        return ("Optimistic (upstream protocol): the epoch was chosen on these very patients.",)
    return ()


def column_groups(outcome: Outcome, cohort: Cohort, by: GroupBy) -> Grouping:
    """Groups of a clinical column: its categories, or its numbers cut as ``by.cut`` says.

    Of more than :data:`MOST_GROUPS` cancers the largest among these patients are the groups; the patients of the
    others are counted and left out.
    """
    if by.column not in cohort.patients.columns:
        raise PrognoscopeError(f"no column {by.column!r}", f"cohort {cohort.name}", "choose another column")
    values = cohort.patients[by.column].iloc[outcome.rows]
    if is_numeric(cohort, by.column):
        return _cut_groups(outcome, cohort, by, pd.to_numeric(values).to_numpy(dtype=float, na_value=np.nan))
    present = cohort.patients[by.column].dropna().unique()
    ordered = sorted(present, key=lambda v: (str(type(v)), v if isinstance(v, int | float | bool) else str(v)))
    smaller: tuple[object, ...] = ()
    if len(ordered) > MOST_GROUPS and cohort.roles[by.column] is Role.CANCER:
        largest = set(values.value_counts().index[:MOST_GROUPS])
        here = set(values.dropna().unique())
        smaller = tuple(v for v in ordered if v in here and v not in largest)
        ordered = [v for v in ordered if v in largest]
    if len(ordered) > MOST_GROUPS:
        raise PrognoscopeError(
            f"{len(ordered)} different values", f"column {by.column}", f"choose one with at most {MOST_GROUPS}"
        )
    member = np.full(len(outcome), -1, dtype=np.int64)
    for index, value in enumerate(ordered):
        member[(values == value).fillna(False).to_numpy(dtype=bool)] = index
    names = tuple(_words(value, cohort.label(by.column)) for value in ordered)
    left_out = _missing(np.where(values.isin(smaller).to_numpy(), 0, member), cohort, by.column)
    if smaller:
        words = ", ".join(str(v) for v in smaller)
        reason = f"of a smaller cancer ({words}); a filter on {cohort.label(by.column)} shows them"
        left_out = (*left_out, Exclusion(reason, int(values.isin(smaller).sum())))
    return _compact(Grouping(cohort.label(by.column), names, member, left_out=left_out))


def _words(value: object, label: str) -> str:
    if isinstance(value, bool | np.bool_):
        return f"{label}: {'yes' if value else 'no'}"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)
    return f"{label} {text}" if len(text) <= _SHORT else text


def _cut_groups(outcome: Outcome, cohort: Cohort, by: GroupBy, values: FloatArray) -> Grouping:
    known = np.isfinite(values)
    if len(np.unique(values[known])) < 2:
        raise PrognoscopeError("fewer than two different values", f"column {by.column}", "choose another column")
    searched: BestCut | None = None
    if by.cut is Cut.BEST and outcome.entry_if_delayed is not None:
        raise PrognoscopeError(
            "patients who entered late, which the search for a best cut does not know", f"column {by.column}",
            "choose the median",
        )  # fmt: skip
    if by.cut is Cut.BEST:
        searched = best_cut(values[known], outcome.time[known], outcome.event[known])
        points = [searched.cut] if searched else []
    elif by.cut is Cut.CLINICAL:
        points = sorted(set(by.points))
    else:
        points = list(median_cut(values[known]) if by.cut is Cut.MEDIAN else tertile_cuts(values[known]))
    if not points:
        fix = "choose the median" if by.cut is Cut.BEST else "type at least one number, for example 2.5"
        raise PrognoscopeError("no cut-point", f"column {by.column}", fix)
    member = np.full(len(outcome), -1, dtype=np.int64)
    member[known] = clinical_groups(values[known], points)
    names = _interval_names(cohort.label(by.column), cohort.units.get(by.column, ""), points)
    how = {Cut.MEDIAN: "at the median", Cut.TERTILES: "at the tertiles", Cut.CLINICAL: "at the given cut-points"}
    title = f"{cohort.label(by.column)}, cut {how.get(by.cut, 'where the groups differ most')}"
    left_out = _missing(member, cohort, by.column)
    return _compact(Grouping(title, names, member, left_out=left_out, best_cut=searched))


def _interval_names(label: str, unit: str, points: Sequence[float]) -> tuple[str, ...]:
    """``≤ a``, ``a to b``, ``> b`` with the unit; a value equal to a cut-point belongs to the lower group."""
    end = f" {unit}" if unit else ""
    first, last = f"{label} ≤ {_number(points[0])}{end}", f"{label} > {_number(points[-1])}{end}"
    middle = [f"{label} {_number(a)} to {_number(b)}{end}" for a, b in itertools.pairwise(points)]
    return (first, *middle, last)


def _number(value: float) -> str:
    """Four digits and a true minus sign."""
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")


def named_groups(outcome: Outcome, groups: Mapping[str, Sequence[str]]) -> Grouping:
    """Groups the reader saved. Patients in more than one of them are counted and left out of every comparison.

    Parameters
    ----------
    groups : mapping of group name to pseudonyms
    """
    if not groups:
        raise PrognoscopeError("no named group", "this view", "select patients on the Cohort page and save them")
    if len(groups) > MOST_GROUPS:
        raise PrognoscopeError(f"{len(groups)} groups", "this view", f"keep at most {MOST_GROUPS}")
    inside = np.array([np.isin(outcome.ids, list(ids)) for ids in groups.values()])
    times = inside.sum(axis=0)
    member = np.where(times == 1, inside.argmax(axis=0), -1).astype(np.int64)
    left_out = _left_out(("in no named group", int((times == 0).sum())), ("in two groups", int((times > 1).sum())))
    return _compact(Grouping("named groups", tuple(groups), member, left_out=left_out))


def _compact(grouping: Grouping) -> Grouping:
    """Without the groups that nobody of the selection is in."""
    used = [i for i in range(len(grouping.names)) if bool((grouping.member == i).any())]
    if not used:
        raise PrognoscopeError("no selected patient in any group", grouping.title, "remove a filter")
    place = np.full(len(grouping.names) + 1, -1, dtype=np.int64)
    place[used] = np.arange(len(used))
    names = tuple(grouping.names[i] for i in used)
    return Grouping(
        grouping.title, names, place[grouping.member], grouping.badge, grouping.left_out, grouping.best_cut,
        grouping.warnings,
    )  # fmt: skip


def _missing(member: IntArray, cohort: Cohort, column: str) -> tuple[Exclusion, ...]:
    return _left_out((f"{cohort.label(column)} is missing", int((member < 0).sum())))


def _left_out(*counted: tuple[str, int]) -> tuple[Exclusion, ...]:
    return tuple(Exclusion(reason, count) for reason, count in counted if count)

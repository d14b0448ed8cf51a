"""Survival of groups side by side: curves, tables, medians, landmarks and tests, as one record to draw."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.analysis.grouping import Grouping
from core.analysis.outcome import Outcome
from core.arrays import FloatArray, IntArray
from core.cohort.cohort import Exclusion
from core.errors import PrognoscopeError
from core.statistics.at_risk import at_risk_table
from core.statistics.competing import CumulativeIncidence, cumulative_incidence
from core.statistics.cox import CoxFit, fit_cox
from core.statistics.estimate import Estimate
from core.statistics.kaplan_meier import SurvivalCurve, kaplan_meier, median_survival, survival_at
from core.statistics.logrank import LogRank, PairwiseLogRank, logrank_test, pairwise_logrank
from core.statistics.rmst import RmstDifference, rmst_difference

TICK_STEPS = (1, 2, 3, 6, 12, 24, 36, 60, 120)
MOST_TICKS = 11
FEWEST_PATIENTS = 10
FEWEST_EVENTS = 5
FEWEST_AT_RISK = 20
"""A time with fewer patients at risk is "not estimable" (an honesty rule of the design)."""


@dataclass(frozen=True)
class SurvivalOptions:
    """Years at which survival is stated, and the horizon of the restricted mean (None = the shortest follow-up)."""

    years: tuple[float, ...] = (1.0, 3.0, 5.0)
    tau: float | None = None
    correction: str = "holm"


@dataclass(frozen=True, eq=False)
class GroupResult:
    """One group: its curve, the table under it, and its numbers.

    ``patients`` holds for every drawn time the pseudonyms whose observation ended there, in ``curve.time`` order.
    ``table`` holds the words and the counts at each tick. ``incidence`` and ``competing_incidence`` are None unless
    competing events stand apart. ``ids`` are the group's pseudonyms.
    """

    name: str
    curve: SurvivalCurve
    table: tuple[tuple[str, IntArray], ...]
    median: Estimate
    landmarks: tuple[Estimate, ...]
    ids: tuple[str, ...]
    patients: tuple[tuple[str, ...], ...]
    incidence: CumulativeIncidence | None = None
    competing_incidence: CumulativeIncidence | None = None

    @property
    def n(self) -> int:
        return self.curve.n


@dataclass(frozen=True, eq=False)
class GroupSurvival:
    """Everything the Survival page says about groups.

    A test that was not made is None, and ``notes`` says why in words. ``hazard_ratios`` compare each further
    group with the first. ``ticks`` are months on the axis.
    """

    outcome: Outcome
    grouping: Grouping
    groups: tuple[GroupResult, ...]
    ticks: FloatArray
    years: tuple[float, ...]
    tau: float | None
    logrank: LogRank | None
    pairwise: tuple[PairwiseLogRank, ...]
    rmst_differences: tuple[RmstDifference, ...]
    hazard_ratios: CoxFit | None
    notes: tuple[str, ...]

    @property
    def n(self) -> int:
        return sum(group.n for group in self.groups)

    @property
    def n_events(self) -> int:
        return sum(group.curve.n_events for group in self.groups)

    @property
    def competing(self) -> bool:
        return self.outcome.competing

    @property
    def left_out(self) -> tuple[Exclusion, ...]:
        return (*self.outcome.excluded, *self.grouping.left_out)


def axis_ticks(longest: float) -> FloatArray:
    """Months for the axis: multiples of a calm step, at most :data:`MOST_TICKS`, the last at or before the end."""
    fitting = [step for step in TICK_STEPS if longest / step <= MOST_TICKS - 1]
    step = fitting[0] if fitting else math.ceil(longest / (MOST_TICKS - 1) / 120) * 120
    return np.arange(0.0, longest + 1e-9, float(step))


def analyse_groups(outcome: Outcome, grouping: Grouping, options: SurvivalOptions) -> GroupSurvival:
    """Compute the whole comparison.

    Raises
    ------
    PrognoscopeError
        When nobody is in any group.
    """
    inside = grouping.member >= 0
    if not inside.any():
        raise PrognoscopeError("no selected patient in any group", grouping.title, "remove a filter")
    ticks = axis_ticks(float(outcome.time[inside].max()))
    groups = tuple(_group(outcome, grouping, index, ticks, options) for index in range(len(grouping.names)))
    tested = outcome.take(inside)
    member = grouping.member[inside]
    notes = list(grouping.warnings)
    tau = _tau(groups, options)
    small = _too_small(groups)
    if small and grouping.best_cut is not None:
        withheld = replace(grouping.best_cut, p_naive=math.nan, p_adjusted=math.nan)
        grouping = replace(grouping, best_cut=withheld)
    if len(groups) < 2 or small:
        notes += [small] if small and len(groups) > 1 else []
        return GroupSurvival(
            outcome, grouping, groups, ticks, options.years, tau, None, (), (), None, tuple(notes)
        )  # fmt: skip
    logrank, pairs = _logrank(tested, member, grouping, options) if grouping.best_cut is None else (None, ())
    differences = _rmst(tested, member, groups, tau, notes)
    ratios = _hazard_ratios(tested, member, grouping, notes)
    if outcome.competing:
        notes.append("Tests and hazard ratios are cause-specific: a competing event ends observation in them.")
    return GroupSurvival(
        outcome, grouping, groups, ticks, options.years, tau, logrank, pairs, differences, ratios, tuple(notes)
    )  # fmt: skip


def _logrank(
    tested: Outcome, member: IntArray, grouping: Grouping, options: SurvivalOptions
) -> tuple[LogRank, tuple[PairwiseLogRank, ...]]:
    names = np.array(grouping.names, dtype=object)[member]
    limits = {"minimum_size": FEWEST_PATIENTS, "minimum_events": FEWEST_EVENTS}
    late = tested.entry_if_delayed
    overall = logrank_test(tested.time, tested.event, names, entry=late, groups=grouping.names, **limits)
    if len(grouping.names) < 3:
        return overall, ()
    pairs = pairwise_logrank(
        tested.time, tested.event, names, entry=late, groups=grouping.names, correction=options.correction, **limits
    )
    return overall, pairs


def _group(
    outcome: Outcome, grouping: Grouping, index: int, ticks: FloatArray, options: SurvivalOptions
) -> GroupResult:
    part = outcome.take(grouping.member == index)
    entry = part.entry_if_delayed
    curve = kaplan_meier(part.time, part.event, entry=entry)
    incidence = cumulative_incidence(part.time, part.codes, entry=entry) if outcome.competing else {}
    return GroupResult(
        name=grouping.names[index],
        curve=curve,
        table=_table(part, ticks),
        median=median_survival(curve),
        landmarks=tuple(survival_at(curve, 12 * year) for year in options.years),
        ids=part.ids,
        patients=_patients_at(part, curve.time),
        incidence=incidence.get(1),
        competing_incidence=incidence.get(2),
    )


def _table(part: Outcome, ticks: FloatArray) -> tuple[tuple[str, IntArray], ...]:
    """The rows under the axis; competing events have their own where they stand apart."""
    counts = at_risk_table(part.time, part.event, ticks, entry=part.entry_if_delayed)
    if not part.competing_label:
        return ("At risk", counts.at_risk), ("Events", counts.events), ("Censored", counts.censored)
    other = at_risk_table(part.time, part.codes == 2, ticks, entry=part.entry_if_delayed).events
    return (
        ("At risk", counts.at_risk),
        ("Events", counts.events),
        ("Competing", other),
        ("Censored", counts.censored - other),
    )


def _patients_at(part: Outcome, times: FloatArray) -> tuple[tuple[str, ...], ...]:
    """For each drawn time, the pseudonyms whose observation ended there."""
    found: list[list[str]] = [[] for _ in times]
    place = np.searchsorted(times, part.time)
    for row, at in enumerate(place):
        if at < len(times) and times[at] == part.time[row]:
            found[at].append(part.ids[row])
    return tuple(tuple(ids) for ids in found)


def _too_small(groups: tuple[GroupResult, ...]) -> str:
    """Why no test is made: the groups below the limits, in words; empty when all are large enough."""
    small = [
        f"{g.name} has {g.n} patients and {g.curve.n_events} events"
        for g in groups
        if g.n < FEWEST_PATIENTS or g.curve.n_events < FEWEST_EVENTS
    ]
    if not small:
        return ""
    limits = f"fewer than {FEWEST_PATIENTS} patients or {FEWEST_EVENTS} events in a group"
    return f"No p-value, hazard ratio or RMST difference: {'; '.join(small)} (withheld with {limits})."


def _tau(groups: tuple[GroupResult, ...], options: SurvivalOptions) -> float | None:
    shortest = min(float(group.curve.time.max()) for group in groups)
    tau = shortest if options.tau is None else min(options.tau, shortest)
    return tau if tau > 0 else None


def _rmst(
    tested: Outcome, member: IntArray, groups: tuple[GroupResult, ...], tau: float | None, notes: list[str]
) -> tuple[RmstDifference, ...]:
    if tau is None or tested.competing:
        notes.append("No RMST difference: competing events are counted apart." if tau else "No RMST difference.")
        return ()
    found = []
    for index in range(1, len(groups)):
        both = (member == 0) | (member == index)
        part = tested.take(both)
        second = member[both] == index
        found.append(rmst_difference(part.time, part.event, second, tau, entry=part.entry_if_delayed))
    return tuple(found)


def _hazard_ratios(tested: Outcome, member: IntArray, grouping: Grouping, notes: list[str]) -> CoxFit | None:
    table = pd.DataFrame({name: (member == i).astype(float) for i, name in enumerate(grouping.names) if i})
    try:
        return fit_cox(table, tested.time, tested.event, entry=tested.entry_if_delayed)
    except PrognoscopeError as error:
        notes.append(f"No hazard ratio: {error.found}; {error.fix}.")
        return None

"""Whether treatment arms fare differently in different groups of patients: descriptive, never causal."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.stats import chi2

from core.analysis.grouping import Grouping
from core.analysis.outcome import Outcome
from core.arrays import BoolArray, IntArray
from core.cohort.cohort import Cohort
from core.errors import PrognoscopeError
from core.statistics.cox import CoxFit, fit_cox

EVENTS_PER_TERM = 10
MOST_ARMS = 3


@dataclass(frozen=True)
class ArmInteraction:
    """``ratios`` one row a group and arm: hazard ratio against the first arm with its interval, patients, events ·
    ``p`` of the likelihood-ratio test that the ratios are the same in all groups, ``terms`` its degrees of freedom ·
    ``reason`` why nothing was fitted, else "" · ``behind`` a row a patient, unnamed: ``group``, ``arm``, ``entry``,
    ``time``, ``event``."""

    column: str
    arms: tuple[str, ...]
    ratios: pd.DataFrame
    p: float | None
    terms: int
    patients: int
    events: int
    reason: str = ""
    behind: pd.DataFrame = field(default_factory=pd.DataFrame)


def arm_interaction(cohort: Cohort, column: str, outcome: Outcome, grouping: Grouping) -> ArmInteraction:
    """Cox models with and without the products of group and arm, compared by their likelihoods.

    Only patients with a recorded arm and a group. Ten events for each term of the larger model are asked for.
    """
    values = cohort.patients[column].iloc[outcome.rows]
    known = values.notna().to_numpy() & (grouping.member >= 0)
    arms = tuple(str(v) for v in sorted(values[known].astype(str).unique()))
    groups, events = grouping.names, int((outcome.codes[known] == 1).sum())
    terms = (len(groups) - 1) * (len(arms) - 1)
    empty = ArmInteraction(column, arms, pd.DataFrame(), None, terms, int(known.sum()), events)
    if len(groups) < 2 or not 2 <= len(arms) <= MOST_ARMS:
        return replace(empty, reason=f"{len(groups)} groups and {len(arms)} arms; it takes 2 of each")
    needed = EVENTS_PER_TERM * (len(groups) + len(arms) - 2 + terms)
    if events < needed:
        return replace(empty, reason=f"{events} events; the model's terms need {needed}")
    part = outcome.take(known)
    group = grouping.member[known]
    arm = np.array([arms.index(str(v)) for v in values[known]])
    main = {f"group {g}": (group == g).astype(float) for g in range(1, len(groups))}
    main |= {f"arm {a}": (arm == a).astype(float) for a in range(1, len(arms))}
    products = {
        f"group {g} × arm {a}": ((group == g) & (arm == a)).astype(float)
        for g in range(1, len(groups)) for a in range(1, len(arms))
    }  # fmt: skip
    try:
        small = fit_cox(pd.DataFrame(main), part.time, part.event, part.entry_if_delayed)
        large = fit_cox(pd.DataFrame(main | products), part.time, part.event, part.entry_if_delayed)
        rows = [
            _row(part, group == g, arm, a, name, arms[a])
            for g, name in enumerate(groups) for a in range(1, len(arms))
        ]  # fmt: skip
    except PrognoscopeError as error:
        return replace(empty, reason=error.found)
    p = float(chi2.sf(max(0.0, 2 * (large.log_likelihood - small.log_likelihood)), terms))
    behind = pd.DataFrame(
        {"group": [groups[g] for g in group], "arm": [arms[a] for a in arm], "entry": part.entry, "time": part.time,
         "event": part.event.astype(int)}
    )  # fmt: skip
    behind = behind.sort_values(["group", "arm", "time", "entry"], ignore_index=True)
    return replace(empty, ratios=pd.DataFrame(rows), p=p, behind=behind)


def _row(part: Outcome, inside: BoolArray, arm: IntArray, a: int, group: str, name: str) -> dict[str, object]:
    """Hazard ratio of one arm against the first within one group."""
    keep = inside & ((arm == a) | (arm == 0))
    sub = part.take(keep)
    row: dict[str, object] = {"group": group, "arm": name, "patients": int(keep.sum()), "events": int(sub.event.sum())}
    fit: CoxFit = fit_cox(
        pd.DataFrame({"arm": (arm[keep] == a).astype(float)}), sub.time, sub.event, sub.entry_if_delayed
    )
    return row | {"ratio": float(fit.hazard_ratios[0]), "low": float(fit.low[0]), "high": float(fit.high[0])}

"""From the patients in the source files to those the numbers speak of: every exclusion with its count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.analysis.card_source import CardSource
from core.analysis.patient_sentences import month_words
from core.cohort.wording import plural


@dataclass(frozen=True)
class FlowStep:
    """``patients`` who are left after ``left_out`` (reason, count) were taken from the step before; ``more`` in words.

    ``patients`` None: not known.
    """

    words: str
    patients: int | None
    left_out: tuple[tuple[str, int], ...] = ()
    more: str = ""


def cohort_flow(source: CardSource) -> tuple[FlowStep, ...]:
    """Source files, cohort, run, estimate at the card's month, training support."""
    run, cohort = source.run, source.cohort
    left_out = tuple((e.reason, e.count) for e in cohort.exclusions)
    steps = [
        FlowStep("In the source files", len(cohort) + sum(n for _, n in left_out)),
        FlowStep("In the cohort", len(cohort), left_out),
        _trained(source),
    ]
    known = np.isfinite(source.ensemble.survival_at(source.month))
    when = month_words(source.month)
    missing = int((~known).sum())
    none = ((f"not estimable at {when} in their fold", missing),) if missing else ()
    steps.append(FlowStep(f"With an out-of-fold estimate at {when}", int(known.sum()), none))
    if source.support is None:
        steps.append(FlowStep("Within what the run was trained on", None, (), "not checked for this run"))
    else:
        inside = source.support.table["supported"].to_numpy(dtype=bool)
        away = int((~inside).sum())
        reason = (("outside what their fold was trained on: they get no number", away),) if away else ()
        steps.append(FlowStep("Within what the run was trained on", int(inside.sum()), reason))
    return tuple(steps) if run.patients else tuple(steps[:3])


def _trained(source: CardSource) -> FlowStep:
    run = source.run
    left_out = list(run.excluded)
    rest = len(source.cohort) - sum(n for _, n in run.excluded) - run.patients
    if rest and source.same_data:
        left_out.append(("for a reason the run's record does not name", rest))
    words = f"{plural(run.events, 'event')}, {run.folds}, each tested once"
    if not source.same_data:
        words += "; the run was trained on an earlier import, whose counts need not fit"
    return FlowStep("Trained and tested", run.patients, tuple(left_out), words)

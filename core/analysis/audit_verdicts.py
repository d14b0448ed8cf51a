"""What an audit answers, in words for a reader who knows no statistics: yes, no, or cannot be told, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.analysis.comparisons import interval, p_value
from core.cohort.wording import plural
from core.results.audit import AuditReport, MarkerRow, Selectivity
from core.statistics.comparison import holm
from core.statistics.rank_interval import spearman_interval

LEVEL = 0.05


class Answer(StrEnum):
    """``SWAPPED``: the opposite is so."""

    YES = "yes"
    NO = "no"
    SWAPPED = "no, the other way round"
    UNKNOWN = "cannot be told"


@dataclass(frozen=True)
class Verdict:
    """A question, its answer, the sentence that gives the reason, and the numbers it rests on."""

    question: str
    answer: Answer
    reason: str
    numbers: str = ""


def expert_verdicts(report: AuditReport) -> tuple[Verdict, ...]:
    """One answer for each named expert: does it know its own markers better than the other expert does?"""
    corrected = corrected_selectivity(report)
    return tuple(_expert(report, factor, corrected.get(factor)) for factor in report.factors[::-1])


def corrected_selectivity(report: AuditReport) -> dict[str, float]:
    """Block → p of its selectivity, corrected over the blocks (Holm)."""
    known = {b: s.p for b, s in report.selectivity.items() if s.markers and np.isfinite(s.p)}
    return {b: float(p) for b, p in zip(known, holm(list(known.values())), strict=True)}


def _expert(report: AuditReport, factor: str, corrected: float | None) -> Verdict:
    other = _others(report, factor)
    question = f"Does the {factor} expert know {factor} markers better than the {other} expert does?"
    rows = [m for m in report.markers if m.block == factor and np.isfinite(m.own) and np.isfinite(m.other)]
    if corrected is None or not rows:
        return Verdict(question, Answer.UNKNOWN, f"No {factor} marker of this cohort is held out from the run's inputs "
                       "in enough patients: there is nothing to test it with.")  # fmt: skip
    found = report.selectivity[factor]
    own, theirs = float(np.mean([m.own for m in rows])), float(np.mean([m.other for m in rows]))
    answer, reason = _judged(report, factor, other, own, theirs, corrected)
    chance = f"{_chance(found)}, {p_value(corrected)} corrected over both experts (Holm)"
    if answer is Answer.SWAPPED:
        chance = f"{p_value(_reverse(report, factor))} for a difference below zero"
    numbers = (
        f"Share of the markers’ variation predicted out of fold (R²): {_signed(own)} by the {factor} expert, "
        f"{_signed(theirs)} by the {other} expert. Difference (selectivity) {_signed(found.value)}, {chance}. "
        f"{plural(found.markers, 'marker')}, {_patients(rows)}."
    )
    return Verdict(question, answer, reason, numbers)


def _judged(
    report: AuditReport, factor: str, other: str, own: float, theirs: float, corrected: float
) -> tuple[Answer, str]:
    found = report.selectivity[factor]
    if found.value > 0 and corrected < LEVEL:
        if own > 0:
            return Answer.YES, f"It predicts {factor} markers it was never shown, and the {other} expert does so less."
        return Answer.UNKNOWN, f"Neither expert predicts {factor} markers at all; one is merely less wrong."
    if found.value < 0 and theirs > 0 and _reverse(report, factor) * len(report.selectivity) < LEVEL:
        return Answer.SWAPPED, f"The {other} expert is the one that knows {factor} markers: the names are swapped."
    if found.value <= 0:
        return Answer.NO, f"It predicts {factor} markers no better than the {other} expert does."
    return Answer.UNKNOWN, "A difference as small as this also comes about by chance."


def _chance(found: Selectivity) -> str:
    """The p-value with the two ways of chance it is the larger of."""
    if found.p_patients is None or found.p_names is None:
        return f"{p_value(found.p)} by permuting patients"
    return (
        f"{p_value(found.p)} (the larger of {p_value(found.p_patients)} by permuting patients and "
        f"{p_value(found.p_names)} by dividing at random what both experts hold)"
    )


def _reverse(report: AuditReport, block: str) -> float:
    """p of a difference below zero; of an older audit the share of permutations that lie as far below zero."""
    found = report.selectivity[block]
    return found.p_swapped if found.p_swapped is not None else (1 - found.p) + 1 / (1 + report.permutations)


def gate_verdict(report: AuditReport) -> Verdict:
    """Does the gate follow what the markers measure?"""
    question = "Does the weight of the tumour expert rise with measured tumour burden over liver disease?"
    gate = report.gate
    if gate is None or not np.isfinite(gate.correlation):
        return Verdict(question, Answer.UNKNOWN, "It needs liver and tumour markers in at least 30 patients.")
    numbers = (
        f"Rank correlation {interval(gate.correlation, *spearman_interval(gate.correlation, gate.patients))}, "
        f"{p_value(gate.p)} by permutation, {gate.patients:,} patients."
    )
    if gate.p < LEVEL and gate.correlation > 0:
        return Verdict(question, Answer.YES, "Where the tumour outweighs liver disease, its expert weighs more.",
                       numbers)  # fmt: skip
    if gate.p < LEVEL:
        reason = "Where the tumour outweighs liver disease, its expert weighs less."
        return Verdict(question, Answer.SWAPPED, reason, numbers)
    if gate.correlation <= 0:
        return Verdict(question, Answer.NO, "The weight does not rise with it.", numbers)
    return Verdict(question, Answer.UNKNOWN, "An association as weak as this also comes about by chance.", numbers)


def _others(report: AuditReport, factor: str) -> str:
    return " and ".join(f for f in report.factors if f != factor) or "other"


def _patients(rows: Sequence[MarkerRow]) -> str:
    low, high = min(m.patients for m in rows), max(m.patients for m in rows)
    return plural(low, "patient") if low == high else f"{low:,} to {high:,} patients"


def _signed(value: float) -> str:
    return interval(value, None, None)

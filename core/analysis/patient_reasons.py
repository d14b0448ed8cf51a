"""Up to three features that raise and three that lower a patient's estimated risk, each with a stable sign."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.analysis.patient_markers import value_words
from core.analysis.patient_sentences import month_words, say, state_words
from core.cohort.cohort import Cohort
from core.cohort.endpoint import Endpoint
from core.results.explanation import Explanation

STABLE = 0.9
"""Share of the models and background draws that have to agree on a feature's sign."""
MOST = 3
SMALLEST = 0.05
"""Percentage points below which a feature rounds to nothing and is no reason."""
_WHOLE = {"slides": "The slides as a whole", "volumes": "The scans as a whole", "reports": "The report as a whole"}
_GENE_KINDS = {"rnaseq": "expression", "cnv": "copy number", "mut": "mutation"}


@dataclass(frozen=True)
class Reason:
    """One feature. ``points`` percentage points of survival, without sign · ``sign_share`` 0.5..1."""

    name: str
    what: str
    points: float
    raises_risk: bool
    sign_share: float
    words: str


@dataclass(frozen=True)
class Reasons:
    """``up`` raise the risk and ``down`` lower it, largest first · ``unstable`` larger ones left out for their sign."""

    up: tuple[Reason, ...]
    down: tuple[Reason, ...]
    unstable: int

    @property
    def top(self) -> Reason | None:
        """The largest of all."""
        return max((*self.up, *self.down), key=lambda r: r.points, default=None)


def reasons_of(found: Explanation, cohort: Cohort, endpoint: Endpoint) -> Reasons:
    """From a stored explanation. ``unstable`` counts the features, at least as large as a shown one, that were left
    out because the models do not agree on their sign."""
    table = found.features[found.features["value"].abs() >= SMALLEST]
    stable = table[table["sign_share"] >= STABLE]
    up, down = stable[stable["value"] < 0], stable[stable["value"] > 0]
    shown = [
        tuple(_reason(row, found, cohort, endpoint) for row in part.head(MOST).to_dict("records"))
        for part in (up, down)
    ]
    least = min((r.points for part in shown for r in part), default=0.0)
    unstable = int(((table["sign_share"] < STABLE) & (table["value"].abs() >= max(least, SMALLEST))).sum())
    return Reasons(shown[0], shown[1], unstable)


def _reason(row: dict[str, object], found: Explanation, cohort: Cohort, endpoint: Endpoint) -> Reason:
    value, what = float(str(row["value"])), feature_words(str(row["name"]), str(row["group"]), row["observed"], cohort)
    words = say(
        "raises" if value < 0 else "lowers", what=what, state=state_words(endpoint), when=month_words(found.month),
        points=f"{abs(value):.1f}",
    )  # fmt: skip
    return Reason(str(row["name"]), what, abs(value), value < 0, float(str(row["sign_share"])), words)


def feature_words(name: str, group: str, observed: object, cohort: Cohort) -> str:
    """A feature as a sentence begins with it: ``"Age (72 years)"``, ``"SYNTS01 expression (z-score 1.8)"``."""
    if group in _WHOLE and name == group:
        return _WHOLE[group]
    seen = "" if observed is None or observed != observed else str(observed)
    if name in cohort.patients.columns:
        label = cohort.label(name)
        return _with(label[:1].upper() + label[1:], _number_words(cohort, name, seen))
    gene, _, kind = name.rpartition("_")
    if gene and kind in _GENE_KINDS:
        return _with(f"{gene} {_GENE_KINDS[kind]}", seen)
    return _with(name, seen)


def _with(label: str, observed: str) -> str:
    return f"{label} ({observed})" if observed else label


def _number_words(cohort: Cohort, column: str, observed: str) -> str:
    """A bare number gets its unit; anything else stays as it was recorded."""
    return value_words(cohort, column, float(observed)) if re.fullmatch(r"-?\d+(\.\d+)?", observed) else observed

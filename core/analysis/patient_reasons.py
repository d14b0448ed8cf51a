"""Up to three features that raise and three that lower a patient's estimated risk, each with a stable sign."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.analysis.patient_markers import value_words
from core.analysis.patient_sentences import month_words, say, state_words
from core.analysis.points import MINUS
from core.analysis.waterfall import value_name
from core.cohort.cohort import Cohort
from core.cohort.endpoint import Endpoint
from core.results.explanation import Explanation

STABLE = 0.9
"""Share of the models and background draws that have to agree on a feature's sign."""
MOST = 3
SMALLEST = 0.05
"""Percentage points below which a feature rounds to nothing and is no reason."""
_WHOLE = {"slides": "What the slides show", "volumes": "What the scans show", "reports": "What the report says"}


@dataclass(frozen=True)
class Reason:
    """One feature. ``label`` and the patient's ``observed`` value in words · ``points`` percentage points of survival,
    without sign · ``sign_share`` 0.5..1 · ``words`` the sentence."""

    name: str
    label: str
    observed: str
    points: float
    raises_risk: bool
    sign_share: float
    words: str


@dataclass(frozen=True)
class Reasons:
    """``up`` raise the risk and ``down`` lower it, largest first · ``unstable`` larger ones left out for their sign ·
    ``ranked`` whether the models agree on the order."""

    up: tuple[Reason, ...]
    down: tuple[Reason, ...]
    unstable: int
    ranked: bool

    @property
    def top(self) -> Reason | None:
        """The largest of all."""
        return max((*self.up, *self.down), key=lambda r: r.points, default=None)


def reasons_of(found: Explanation, cohort: Cohort, endpoint: Endpoint) -> Reasons:
    """From a stored explanation. ``unstable`` counts the features, at least as large as a shown one, that were left
    out because the models do not agree on their sign."""
    table = found.features[found.features["value"].abs() >= SMALLEST]
    table = table.sort_values("value", key=abs, ascending=False, kind="stable")
    stable = table[table["sign_share"] >= STABLE]
    up, down = stable[stable["value"] < 0], stable[stable["value"] > 0]
    shown = [
        tuple(_reason(row, found, cohort, endpoint) for row in part.head(MOST).to_dict("records"))
        for part in (up, down)
    ]
    least = min((r.points for part in shown for r in part), default=0.0)
    unstable = int(((table["sign_share"] < STABLE) & (table["value"].abs() >= max(least, SMALLEST))).sum())
    return Reasons(shown[0], shown[1], unstable, found.stable_ranks)


def _reason(row: dict[str, object], found: Explanation, cohort: Cohort, endpoint: Endpoint) -> Reason:
    value, name = float(str(row["value"])), str(row["name"])
    label, observed = feature_words(name, str(row["group"]), str(row["observed"] or ""), cohort)
    nested = f"{label}, {observed}," if "(" in observed else f"{label} ({observed})"
    words = say(
        "raises" if value < 0 else "lowers", what=nested if observed else label,
        state=state_words(endpoint), when=month_words(found.month), points=f"{abs(value):.1f}",
    )  # fmt: skip
    return Reason(name, label, observed, abs(value), value < 0, float(str(row["sign_share"])), words)


def feature_words(name: str, group: str, observed: str, cohort: Cohort) -> tuple[str, str]:
    """A feature and the patient's value, in words: ``("Age", "72 years")``, ``("SYNTS01 expression", "1.80")``.

    A category stands under its column's name or as ``column=level``.
    """
    if group in _WHOLE and name == group:
        return _WHOLE[group], ""
    column, _, level = name.partition("=")
    if column in cohort.patients.columns:
        label, seen = cohort.label(column), observed or level
        is_bare = re.fullmatch(r"-?\d+(\.\d+)?", seen) is not None
        return label[:1].upper() + label[1:], value_words(cohort, column, float(seen)) if is_bare else seen
    return value_name(name), re.sub(r"^-(?=\d)", MINUS, observed)

"""Which columns of a cohort may hold a treatment arm."""

from __future__ import annotations

import re

from core.cohort.cohort import Cohort, Role

MOST_ARMS = 8
_TREATMENT = re.compile(
    r"treat|therap|\barm\b|regimen|surg|procedure|resect|ablat|emboli|tace|chemo|radi(o|at)|drug|transplant|adjuvant"
)


def arm_columns(cohort: Cohort) -> tuple[str, ...]:
    """Described categories of few levels that are no model's input; those called like a treatment come first."""
    counts = {c: int(cohort.patients[c].nunique()) for c in cohort.columns(Role.DESCRIPTION)}
    found = [c for c, k in counts.items() if 2 <= k <= MOST_ARMS]
    return tuple(sorted(found, key=lambda c: not is_treatment(cohort, c)))


def is_treatment(cohort: Cohort, column: str) -> bool:
    """Whether a column is called like a treatment, by its name or its label."""
    return bool(_TREATMENT.search(f"{column} {cohort.label(column)}".lower().replace("_", " ")))

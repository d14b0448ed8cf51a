"""What the clinic knows of a patient: inputs, laboratory markers, stages, treatments; and whether the run used them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.arm_columns import is_treatment
from core.analysis.grouping import is_numeric
from core.analysis.patient_person import Person
from core.analysis.points import MINUS
from core.cohort.cohort import Cohort, Role
from core.cohort.liver_scores import albi_grade
from core.cohort.modality import Modality

USED, NOT_USED = "used", "not used by the model"
_STAGES = ("bclc", "stage", "ajcc_stage", "pathologic_stage", "tumor_stage", "tumour_stage")
_AGES, _SEXES = ("age", "age_at_diagnosis"), ("sex", "gender")
_CLINIC = re.compile(r"stage|bclc|child|albi|grade|score|status|ecog|invasion")
"""What a clinic calls its stages, scores and findings."""
_BARE = ("count", "ratio")
"""Units that say nothing beside their number."""


@dataclass(frozen=True)
class Marker:
    """One value.

    ``place`` share of the training cohort with a smaller value, None for words · ``used`` by the run · ``aside``
    whether it merely describes: neither an input nor a marker, no stage or score of the clinic, no treatment.
    """

    column: str
    label: str
    words: str
    place: float | None
    used: bool
    aside: bool = False

    @property
    def badge(self) -> str:
        """``"used"`` or ``"not used by the model"``."""
        return USED if self.used else NOT_USED


def markers_of_patient(person: Person) -> tuple[Marker, ...]:
    """Every known value of the patient: what the run does not read comes first, since the estimate lacks it."""
    roles = (Role.MARKER, Role.DESCRIPTION, Role.INPUT)
    columns = [c for role in roles for c in person.cohort.columns(role) if person.value(c) is not None]
    return tuple(_marker(person, c) for c in columns)


def reads_column(person: Person, column: str) -> bool:
    """Whether the run was given this column of this patient."""
    clinical = Modality.CLINICAL.value
    role = person.base.roles.get(column)
    return role is Role.INPUT and person.reads(clinical) and person.has(clinical)


def value_words(cohort: Cohort, column: str, value: object) -> str:
    """A value with its unit: ``"3.4 g/dL"``, ``"B"``."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    text = f"{value:,.4g}".replace("-", MINUS) if number else str(value)
    unit = cohort.units.get(column, "")
    return f"{text} {unit}" if unit and unit not in _BARE else text


def stage_column(cohort: Cohort) -> str | None:
    """The column of the stage, BCLC before others; None where there is none."""
    return _named(cohort, _STAGES)


def age_column(cohort: Cohort) -> str | None:
    """The column of the age; None where there is none."""
    return _named(cohort, _AGES)


def sex_column(cohort: Cohort) -> str | None:
    """The column of the sex; None where there is none."""
    return _named(cohort, _SEXES)


def albi_grades(cohort: Cohort) -> pd.Series | None:
    """(n,) ALBI grade, from its own column or from the score; None where the cohort has neither."""
    grade = _named(cohort, ("albi_grade",))
    if grade is not None:
        return cohort.patients[grade].map(_plain, na_action="ignore")
    score = _named(cohort, ("albi", "albi_score"))
    if score is None or not pd.api.types.is_numeric_dtype(cohort.patients[score]):
        return None
    values = pd.to_numeric(cohort.patients[score]).to_numpy(dtype=float, na_value=np.nan)
    return pd.Series(albi_grade(values).to_numpy(), index=cohort.patients.index)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _named(cohort: Cohort, names: tuple[str, ...]) -> str | None:
    plain = {re.sub(r"[^a-z0-9]+", "_", str(c).lower()).strip("_"): str(c) for c in cohort.patients.columns}
    return next((plain[n] for n in names if n in plain), None)


def _marker(person: Person, column: str) -> Marker:
    value, base = person.value(column), person.base
    place = None
    if column in base.patients.columns and is_numeric(base, column) and isinstance(value, int | float | np.number):
        others = pd.to_numeric(base.patients[column]).to_numpy(dtype=float, na_value=np.nan)[person.others]
        others = others[np.isfinite(others)]
        own = float(value)
        place = float((others < own).sum() + 0.5 * (others == own).sum()) / len(others) if len(others) else None
    label = person.cohort.label(column)
    words = value_words(person.cohort, column, value)
    aside = (
        person.cohort.roles.get(column) is Role.DESCRIPTION
        and not _CLINIC.search(f"{column} {label}".lower())
        and not is_treatment(person.cohort, column)
    )
    return Marker(column, label[:1].upper() + label[1:], words, place, reads_column(person, column), aside)

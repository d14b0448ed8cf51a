"""A patient with what they are read against: the cohort that holds them, and the one the run was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.arrays import BoolArray
from core.cohort.cohort import Cohort, Role
from core.cohort.endpoint import Endpoint
from core.cohort.modality import Modality
from core.results.run import Run


@dataclass(frozen=True, eq=False)
class Person:
    """One patient.

    Parameters
    ----------
    patient : str
        Pseudonym.
    cohort : Cohort
        Holds the patient.
    base : Cohort
        The run was trained on it: the same object for a patient of that cohort, another one for a new patient.
    run : Run
    """

    patient: str
    cohort: Cohort
    base: Cohort
    run: Run

    @property
    def new(self) -> bool:
        """True for a patient of another cohort than the run's."""
        return self.cohort.name != self.base.name

    @property
    def endpoint(self) -> Endpoint:
        """The run's endpoint, in the cohort it was trained on."""
        return self.base.endpoint(self.run.endpoint)

    @property
    def others(self) -> BoolArray:
        """(n,) patients of ``base`` of the same cancer, without this one."""
        ids = self.base.patients.index
        others = np.asarray(ids != self.patient) if not self.new else np.ones(len(self.base), dtype=bool)
        columns = self.base.columns(Role.CANCER)
        cancer = self.value(columns[0]) if columns else None
        if cancer is None:
            return others
        same: BoolArray = np.asarray(self.base.patients[columns[0]].eq(cancer).fillna(False), dtype=bool)
        return np.asarray(others & same)

    def value(self, column: str) -> object | None:
        """The patient's value; None where it is missing or their cohort has no such column."""
        if column not in self.cohort.patients.columns:
            return None
        value = self.cohort.patients.at[self.patient, column]
        return None if pd.isna(value) else value

    def alike(self, column: str) -> BoolArray:
        """(n,) :attr:`others` with the patient's value in a column of ``base``; nobody where it is missing."""
        value = self.value(column)
        if value is None or column not in self.base.patients.columns:
            return np.zeros(len(self.base), dtype=bool)
        same: BoolArray = np.asarray(self.base.patients[column].eq(value).fillna(False), dtype=bool)
        return np.asarray(self.others & same)

    def has(self, modality: str) -> bool:
        """Whether the patient has this kind of data."""
        table = self.cohort.availability
        return modality in table.columns and bool(table.at[self.patient, modality])

    def reads(self, modality: Modality | str) -> bool:
        """Whether the run reads this kind of data."""
        return str(modality) in self.run.modalities

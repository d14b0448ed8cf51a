"""Joining a clinical table to an imported study by case id."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.cohort.cohort import Role
from core.cohort.importers.biotab import read_biotab_clinical
from core.cohort.importers.draft import ClinicalTable, Draft
from core.cohort.importers.gdc_clinical import read_gdc_clinical
from core.cohort.importers.recognise import recognise
from core.cohort.wording import plural
from core.errors import PrognoscopeError

TOLERANCE_MONTHS = 0.05


def read_clinical(path: Path, only: Collection[str]) -> ClinicalTable:
    """The rows about ``only`` these cases of a clinical table in either format that can be joined."""
    kind = recognise(path)
    if kind == "biotab":
        return read_biotab_clinical(path, only=only)
    if kind == "gdc-clinical":
        return read_gdc_clinical(path, only=only)
    raise PrognoscopeError("no clinical table", path.name, "give a GDC clinical.tsv or a biotab folder")


def join(draft: Draft, table: ClinicalTable) -> Draft:
    """The study with the table's columns; the study's own outcomes stay, differing ones are counted.

    A column both have keeps the study's values and is filled where they are missing.

    Raises
    ------
    PrognoscopeError
        When no patient is in both.
    """
    ids = pd.Index(draft.ids, dtype=object)
    both = ids.isin(table.frame.index)
    where = table.files[0].name if table.files else "the clinical table"
    if not both.any():
        raise PrognoscopeError("no patient of the study", where, "give the clinical table of this study")
    aligned = table.frame.reindex(ids).reset_index(drop=True)
    patients = draft.patients.copy()
    roles = dict(draft.roles)
    warnings = [f"{plural(int(both.sum()), 'patient')} of {len(ids):,} joined to the clinical table {where}."]
    for column in aligned.columns:
        if column not in patients:
            patients[column] = aligned[column]
            roles[column] = table.roles[column]
        elif table.roles[column] is not Role.SITE:
            filled = patients[column].isna() & aligned[column].notna()
            if filled.any():
                patients[column] = patients[column].where(~filled, aligned[column])
                warnings.append(f"{column}: {plural(int(filled.sum()), 'missing value')} filled from {where}.")
    return replace(
        draft,
        patients=patients,
        roles=roles,
        units={**table.units, **draft.units},
        labels={**table.labels, **draft.labels},
        files=(*draft.files, *table.files),
        warnings=(*draft.warnings, *warnings, *table.warnings, *_outcome_warnings(draft, table, where)),
    )


def _outcome_warnings(draft: Draft, table: ClinicalTable, where: str) -> list[str]:
    found = []
    for name in draft.endpoints.keys() & table.endpoints.keys():
        differing = differing_outcomes(draft, table, name)
        if len(differing):
            count = plural(len(differing), "patient")
            found.append(f"{count} with another {name} outcome in {where}: the study's own was kept.")
    return found


def differing_outcomes(draft: Draft, table: ClinicalTable, endpoint: str) -> tuple[str, ...]:
    """Original ids of patients whose outcome differs: another event, or a time more than 0.05 months apart."""
    ours, theirs = draft.endpoints[endpoint], table.endpoints[endpoint]
    position = {i: r for r, i in enumerate(table.frame.index)}
    rows = np.array([position.get(i, -1) for i in draft.ids])
    here = np.flatnonzero(rows >= 0)
    there = rows[here]
    apart = np.abs(ours.time[here] - theirs.time[there])
    other = (ours.codes[here] != theirs.codes[there]) | ~(apart <= TOLERANCE_MONTHS)
    return tuple(draft.ids[i] for i in here[other])

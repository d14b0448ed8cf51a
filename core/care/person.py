"""Who is meant: one person, whatever pseudonym each cohort of the workspace has for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from core.cohort.storage import load_original_ids
from core.errors import PrognoscopeError
from core.results.workspace import Workspace


@dataclass(frozen=True)
class Person:
    """``cohorts`` name → pseudonym there · ``original`` the original id, "" for generated patients · ``apart`` cohorts
    in which the same pseudonym is somebody else."""

    cohorts: Mapping[str, str]
    original: str
    apart: tuple[str, ...] = ()

    @property
    def pseudonyms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.cohorts.values()))

    @property
    def names(self) -> tuple[str, ...]:
        """Everything the person is called."""
        return (*self.pseudonyms, *((self.original,) if self.original else ()))


def find_person(cohort: str, patient: str, workspace: Workspace) -> Person:
    """The person that ``patient`` (pseudonym or original id) of a cohort is.

    Raises
    ------
    PrognoscopeError
        For an unknown cohort, or nobody of that name in it.
    """
    if cohort not in workspace.names(workspace.cohorts):
        known = ", ".join(workspace.names(workspace.cohorts)) or "none yet"
        raise PrognoscopeError(f"no cohort named {cohort!r}", "the workspace", f"use one of: {known}")
    here = load_original_ids(cohort, workspace)
    by_original = {original: pseudonym for pseudonym, original in here.items()}
    pseudonym = by_original.get(patient, patient)
    if pseudonym not in cohort_ids(cohort, workspace):
        raise PrognoscopeError(
            "nobody of that pseudonym or id", f"cohort {cohort!r}",
            "check the spelling; whether someone was erased before is told by ./run cli erase --verify",
        )  # fmt: skip
    original = here.get(pseudonym, "")
    found, apart = {cohort: pseudonym}, []
    for name in workspace.names(workspace.cohorts):
        if name == cohort:
            continue
        there = load_original_ids(name, workspace)
        same = next((p for p, o in there.items() if original and o == original), "")
        if same:
            found[name] = same
        elif pseudonym in cohort_ids(name, workspace):
            if there.get(pseudonym, "") and original:
                apart.append(name)
            else:
                found[name] = pseudonym
    return Person(found, original, tuple(apart))


def cohort_ids(name: str, workspace: Workspace) -> frozenset[str]:
    """The pseudonyms of a cohort, without its values; nobody for one that cannot be read."""
    path = workspace.cohort(name) / "patients.parquet"
    try:
        return frozenset(str(i) for i in pd.read_parquet(path, columns=[]).index)
    except (OSError, ValueError):
        return frozenset()

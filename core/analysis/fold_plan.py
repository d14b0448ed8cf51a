"""A plan of folds looked at before a training starts: who trains, who is tested, and that nobody is both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.arrays import BoolArray
from core.cohort.cohort import Cohort
from core.cohort.folds import Folds
from core.cohort.same_person import check_same_person
from core.cohort.site_folds import MISSING_SITE
from core.cohort.splits import check_leakage, resolve_folds

FEWEST_EVENTS = 5


@dataclass(frozen=True)
class PlanCheck:
    """A plan that was checked and found sound.

    ``table`` one row a fold: patients and events that train and are tested · ``patients`` who take part, ``left_out``
    who do not and why · ``passed`` what was checked, in words · ``notes`` what a reader should know of it.
    """

    folds: Folds
    table: pd.DataFrame
    patients: int
    events: int
    left_out: tuple[tuple[str, int], ...]
    passed: tuple[str, ...]
    notes: tuple[str, ...]


def check_plan(
    cohort: Cohort, endpoint: str, modalities: tuple[str, ...], spec: str, original_ids: Mapping[str, str]
) -> PlanCheck:
    """Resolve the folds a training would use and look for leaks.

    Parameters
    ----------
    spec : str
        ``"published"``, ``"site"``, a number, or a path, as on the command line.
    original_ids : pseudonym → original id; empty for generated patients

    Raises
    ------
    PrognoscopeError
        When the plan leaks (the pseudonyms are named) or cannot be used.
    """
    folds = resolve_folds(cohort, spec, endpoint=endpoint, original_ids=original_ids)
    check_leakage(folds, cohort, endpoint)
    persons = check_same_person(folds, cohort, original_ids)
    known = cohort.endpoint(endpoint).known
    readable: BoolArray = cohort.availability[list(modalities)].to_numpy(dtype=bool).any(axis=1)
    inside = folds.test_fold >= 0
    taking = known & readable & inside
    left_out = (
        (f"no usable time for {endpoint}", int((~known).sum())),
        (f"none of {', '.join(modalities)}", int((known & ~readable).sum())),
        ("in no fold", int((known & readable & ~inside).sum())),
    )
    table = _table(folds, cohort, endpoint, taking)
    return PlanCheck(
        folds, table, int(taking.sum()), int((cohort.endpoint(endpoint).event & taking).sum()),
        tuple((why, n) for why, n in left_out if n), _passed(folds, cohort, taking, persons),
        _notes(folds, cohort, table),
    )  # fmt: skip


def _table(folds: Folds, cohort: Cohort, endpoint: str, taking: BoolArray) -> pd.DataFrame:
    event = cohort.endpoint(endpoint).event & taking
    rows = []
    for k in range(folds.k):
        test = (folds.test_fold == k) & taking
        train = taking & ~test
        rows.append(
            {"Fold": k + 1, "Train": int(train.sum()), "Events in training": int((event & train).sum()),
             "Tested": int(test.sum()), "Events tested": int((event & test).sum())}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _passed(folds: Folds, cohort: Cohort, taking: BoolArray, persons: int) -> tuple[str, ...]:
    """The checks, in words; each of them raised if it failed."""
    words = [f"Each of the {int(taking.sum()):,} patients is tested in exactly one fold and trains in the others only."]
    if persons:
        words.append(f"No person stands in two folds under two names ({persons:,} original ids compared).")
    if folds.name == "site":
        sites = _sites(cohort)
        words.append(f"No site is in two folds ({len(np.unique(sites[taking]))} sites).")
    return tuple(words)


def _sites(cohort: Cohort) -> np.ndarray:
    sites = cohort.sites
    return np.zeros(0) if sites is None else sites.fillna(MISSING_SITE).astype(str).to_numpy()


def _notes(folds: Folds, cohort: Cohort, table: pd.DataFrame) -> tuple[str, ...]:
    notes = []
    few = table.loc[table["Events tested"] < FEWEST_EVENTS, "Fold"]
    if len(few):
        listed = ", ".join(str(k) for k in few)
        notes.append(f"Fewer than {FEWEST_EVENTS} events are tested in fold {listed}: its C-index says little.")
    sites = _sites(cohort)
    if folds.name != "site" and len(np.unique(sites)) > 1:
        notes.append(
            "Patients of one site train and are tested in these folds. Folds by site show what happens at a new one."
        )
    return tuple(notes)

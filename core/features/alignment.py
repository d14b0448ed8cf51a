"""Patients of another cohort in the form a run knows: columns by name and unit, whatever does not match masked.

Nothing is guessed and nothing is dropped silently: every column, value and modality that is missing or was masked
has its reason and its count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.arrays import BoolArray
from core.cohort.cancer import cancer_codes, plain_cancer
from core.cohort.cohort import Cohort, Role
from core.cohort.modality import Modality
from core.cohort.wording import plural
from core.features.gene_units import columns_of
from core.features.inputs import Bag, Inputs
from core.features.run_inputs import ClinicalColumn, RunInputs

MOST_MISSING = 0.5
"""Above this share of missing columns a modality is masked: too little of what the model read is left of it."""


@dataclass(frozen=True)
class Note:
    """Something that differs from the training cohort: words, and how many columns, values or patients."""

    words: str
    count: int


@dataclass(frozen=True, eq=False)
class Aligned:
    """Inputs of all patients of a cohort, row for row with it, in the form of the run.

    ``masked`` modality → why nobody of this cohort is given it · ``notes`` everything else that was masked ·
    ``unknown_cancer`` (n,) patients whose cancer is none of the several the run knows.
    """

    inputs: Inputs
    masked: Mapping[Modality, str]
    notes: tuple[Note, ...]
    unknown_cancer: BoolArray


@dataclass
class _Found:
    """What alignment collects on its way."""

    present: dict[Modality, BoolArray] = field(default_factory=dict)
    masked: dict[Modality, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def mask(self, modality: Modality, n: int, reason: str) -> None:
        self.present[modality] = np.zeros(n, dtype=bool)
        self.masked[modality] = reason

    def keep(self, modality: Modality, has: BoolArray, known: BoolArray) -> None:
        """Keep a modality for patients with at least half of its columns; the others are counted."""
        lost = has & ~known
        self.present[modality] = has & known
        if lost.any():
            words = f"{modality.value}: fewer than {1 - MOST_MISSING:.0%} of its columns have a value; masked"
            self.notes.append(Note(f"{words} for these patients", int(lost.sum())))


def align(
    cohort: Cohort,
    run: RunInputs,
    bags: Mapping[Modality, tuple[Bag | None, ...]] | None = None,
    unusable: Mapping[Modality, str] | None = None,
) -> Aligned:
    """Bring every patient of ``cohort`` into the form of ``run``.

    Parameters
    ----------
    bags : modality → one bag a patient of the cohort, encoded as the run's were
    unusable : modality → why there are none
    """
    n, found = len(cohort), _Found()
    genes = _genes(cohort, run, found) if run.genes is not None else None
    clinical = _clinical(cohort, run, found) if Modality.CLINICAL in run.modalities else None
    given: Mapping[Modality, tuple[Bag | None, ...] | str] = {**(unusable or {}), **(bags or {})}
    aligned_bags = {m: _bags(m, n, run, given.get(m, ""), found) for m in run.bag_width}
    groups, unknown = _groups(cohort, run)
    inputs = Inputs(
        ids=cohort.ids,
        modalities=run.modalities,
        present={m: found.present[m] for m in run.modalities},
        genes=genes,
        columns=run.columns,
        families=run.families,
        clinical=clinical,
        bags=aligned_bags,
        groups=groups,
    )
    return Aligned(inputs, found.masked, tuple(found.notes), unknown)


def _genes(cohort: Cohort, run: RunInputs, found: _Found) -> NDArray[np.float32]:
    """(n, g) in the run's columns; NaN where this cohort has no such column or its kind is on another scale."""
    n, genomics, scales = len(cohort), cohort.genomics, run.genes
    values = np.full((n, len(run.columns)), np.nan, dtype=np.float32)
    if genomics is None or scales is None:
        found.mask(Modality.GENOMICS, n, "this cohort has no genes")
        return values
    place = {c: i for i, c in enumerate(genomics.columns)}
    pairs = [(place[c], i) for i, c in enumerate(run.columns) if c in place]
    if pairs:
        here, there = (np.array(x, dtype=np.int64) for x in zip(*pairs, strict=True))
        values[:, there] = np.asarray(genomics.values[:, here], dtype=np.float32)
    had = np.isfinite(values).any(axis=1)
    absent = len(run.columns) - len(pairs)
    if absent:
        words = f"gene columns of the run that this cohort lacks, of {len(run.columns):,}: as the training mean"
        found.notes.append(Note(words, absent))
    reasons = []
    for kind, members in columns_of(run.columns).items():
        reason = scales.mismatch(kind, values, genomics.units.get(kind, ""))
        if reason:
            reasons.append(reason)
            values[:, members] = np.nan
            found.notes.append(Note(f"gene columns masked: {reason}", len(members)))
    share = float(np.mean(~np.isfinite(values).any(axis=0)))
    if share > MOST_MISSING:
        why = "; ".join(reasons) or "this cohort lacks them"
        found.mask(Modality.GENOMICS, n, f"{share:.0%} of the run's gene columns cannot be used: {why}")
        return np.full_like(values, np.nan)
    known = np.isfinite(values).mean(axis=1) >= 1 - MOST_MISSING
    found.keep(Modality.GENOMICS, np.asarray(had), np.asarray(known))
    return np.where(known[:, None], values, np.nan).astype(np.float32)


def _clinical(cohort: Cohort, run: RunInputs, found: _Found) -> pd.DataFrame:
    """The run's clinical columns; missing where this cohort has none of that name and unit."""
    n = len(cohort)
    names = {_plain(c): c for c in cohort.patients.columns if cohort.roles[c] is not Role.SITE}
    columns: dict[str, pd.Series] = {}
    unusable = []
    for column in run.clinical:
        source = column.name if column.name in cohort.patients else names.get(_plain(column.name))
        reason = "this cohort has no such column" if source is None else _unit_reason(column, cohort, source)
        if source is None or reason:
            unusable.append(f"{column.name} ({reason})")
            columns[column.name] = _missing(column, n)
        else:
            columns[column.name] = _values(column, cohort.patients[source], found)
    frame = pd.DataFrame({k: v.to_numpy() if v.dtype != "string" else v.array for k, v in columns.items()})
    frame.index = cohort.patients.index
    if unusable:
        found.notes.append(Note(f"clinical columns taken as missing: {', '.join(unusable)}", len(unusable)))
    if len(unusable) > MOST_MISSING * len(run.clinical):
        found.mask(Modality.CLINICAL, n, f"clinical columns that cannot be used: {', '.join(unusable)}")
        return frame
    # as in the import of a cohort, a patient has clinical data when a single input is known
    found.present[Modality.CLINICAL] = frame.notna().any(axis=1).to_numpy(dtype=bool)
    return frame


def _groups(cohort: Cohort, run: RunInputs) -> tuple[tuple[str, ...], BoolArray]:
    """Each patient's cancer where the run knows several, and (n,) True where it is none of them.

    The column's value, or the one of the run's that the whole cohort is of. An unknown one stands as the run's first,
    so that the patient can be computed; no number is shown for it.
    """
    n = len(cohort)
    if not run.groups:
        return (), np.zeros(n, dtype=bool)
    columns = cohort.columns(Role.CANCER)
    own = [g for g in run.groups if plain_cancer(g) in cancer_codes(cohort)]
    plain = {plain_cancer(g): g for g in run.groups}
    if columns:
        named = [plain.get(plain_cancer(v), "") if pd.notna(v) else "" for v in cohort.patients[columns[0]]]
    else:
        named = [own[0] if len(own) == 1 else ""] * n
    unknown = np.array([not g for g in named], dtype=bool)
    return tuple(g or run.groups[0] for g in named), unknown


def _plain(name: object) -> str:
    return re.sub(r"[^a-z0-9]+", "", str(name).lower())


def _unit_reason(column: ClinicalColumn, cohort: Cohort, source: str) -> str:
    unit = cohort.units.get(source, "")
    if column.unit and unit and _plain(column.unit) != _plain(unit):
        return f"in {unit}, the run was trained on {column.unit}"
    return ""


def _missing(column: ClinicalColumn, n: int) -> pd.Series:
    return pd.Series(np.full(n, np.nan)) if column.numeric else pd.Series([pd.NA] * n, dtype="string")


def _values(column: ClinicalColumn, values: pd.Series, found: _Found) -> pd.Series:
    """One column as the run knows it: numbers, or categories that occurred in training."""
    if column.numeric:
        if pd.api.types.is_numeric_dtype(values):
            return values
        numbers = pd.to_numeric(values, errors="coerce").astype(float)
        lost = int((numbers.isna() & values.notna()).sum())
        if lost:
            found.notes.append(Note(f"values of {column.name} that are no numbers: taken as missing", lost))
        return numbers
    known = {level.strip().lower(): level for level in column.levels}
    words = values.astype("string")
    matched = words.map(lambda v: known.get(v.strip().lower(), pd.NA), na_action="ignore").astype("string")
    unseen = matched.isna() & words.notna()
    if unseen.any():
        kinds = plural(int(words[unseen].nunique()), "category", "categories")
        text = f"values of {column.name} in {kinds} that no training patient had: taken as missing"
        found.notes.append(Note(text, int(unseen.sum())))
    return matched


def _bags(
    modality: Modality, n: int, run: RunInputs, bags: tuple[Bag | None, ...] | str, found: _Found
) -> tuple[Bag | None, ...]:
    nothing: tuple[Bag | None, ...] = (None,) * n
    if isinstance(bags, str):
        found.mask(modality, n, bags or f"this cohort has no encoded {modality.value}")
        return nothing
    width = run.bag_width[modality]
    fits = tuple(b if b is not None and b.shape[1] == width else None for b in bags)
    if not any(b is not None for b in fits) and any(b is not None for b in bags):
        found.mask(modality, n, f"its {modality.value} were encoded otherwise than those of the run")
        return nothing
    found.present[modality] = np.array([b is not None for b in fits], dtype=bool)
    return fits

"""What an importer hands over: a cohort still under its original ids. It never leaves the import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from core.arrays import Float32Array, IntArray
from core.cohort.cohort import Exclusion, Role
from core.cohort.endpoint import Endpoint
from core.cohort.media_index import MediaKind
from core.cohort.modality import Modality

Progress = Callable[[float, str], None]


def silent(share: float, text: str) -> None:
    """A progress callback that shows nothing."""


@dataclass(frozen=True, eq=False)
class GeneTable:
    """Gene values of ``n`` patients, before families are matched.

    Parameters
    ----------
    values : (n, p) float32 array, NaN = missing
    columns : tuple of p str, ``SYMBOL_kind``
    units : mapping of kind to unit
    """

    values: Float32Array
    columns: tuple[str, ...]
    units: Mapping[str, str]


@dataclass(frozen=True)
class DraftMedium:
    """A slide, scan or mask of a patient (original id), where it lies; a folder for a DICOM series."""

    patient: str
    modality: Modality
    kind: MediaKind
    path: Path
    label: str = ""


@dataclass(frozen=True)
class DraftReport:
    """A report of a patient (original id) as it was written; ``source`` is its file where it has one of its own."""

    patient: str
    text: str
    label: str = ""
    source: Path | None = None


@dataclass(frozen=True, eq=False)
class Draft:
    """One imported study, row for row under the patients' original ids.

    Parameters
    ----------
    format, title : str
    ids : tuple of n str
        Original ids, distinct.
    patients : DataFrame of n rows with a plain row index
    roles, units, labels : mappings of column
    endpoints : mapping of name to Endpoint, at least one
    genes : GeneTable or None
    splits : mapping of fold plan to folder of its split files
    files : tuple of Path
        Every table that was read, for the provenance.
    media, reports : tuples
        Slides, scans and report texts, in the order of the patients.
    exclusions, warnings, notes : tuples
    """

    format: str
    title: str
    ids: tuple[str, ...]
    patients: pd.DataFrame
    roles: Mapping[str, Role]
    endpoints: Mapping[str, Endpoint]
    genes: GeneTable | None = None
    splits: Mapping[str, Path] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    media: tuple[DraftMedium, ...] = ()
    reports: tuple[DraftReport, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ClinicalTable:
    """Clinical columns by original id, ready to be joined to a :class:`Draft`.

    ``endpoints`` are row for row with ``frame``; they are used when the table is a cohort of its own and to
    compare outcomes when it is joined.
    """

    frame: pd.DataFrame
    roles: Mapping[str, Role]
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()


def first_rows(ids: list[str]) -> IntArray:
    """Row numbers at which each distinct id occurs first, in order of occurrence."""
    _, index = np.unique(np.array(ids, dtype=object), return_index=True)
    rows: IntArray = np.sort(index).astype(np.int64)
    return rows

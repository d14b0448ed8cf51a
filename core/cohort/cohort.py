"""The cohort: patients, their outcomes and which data each of them has. Immutable once made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

import numpy as np
import pandas as pd

from core.arrays import BoolArray, IntArray
from core.cohort.endpoint import Endpoint
from core.cohort.folds import Folds
from core.cohort.genomics import Genomics
from core.cohort.modality import Modality
from core.errors import PrognoscopeError


class Role(StrEnum):
    """What a column of the patients table is for.

    ``INPUT`` may be given to a model as clinical input (age, sex, stage); ``MARKER`` never is (laboratory
    values kept for audits); ``DESCRIPTION`` is neither (free descriptors, treatment arm); ``SITE`` groups
    patients by the place that sent them; ``CANCER`` by the cancer they have, in a cohort of several.
    """

    INPUT = "input"
    MARKER = "marker"
    DESCRIPTION = "description"
    SITE = "site"
    CANCER = "cancer"


@dataclass(frozen=True)
class Exclusion:
    """Patients left out at import: why, and how many."""

    reason: str
    count: int


@dataclass(frozen=True)
class Provenance:
    """Where a cohort came from. ``files`` maps each source file's name to the SHA-256 of its bytes."""

    format: str
    files: Mapping[str, str]
    imported_at: str
    importer_version: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Cohort:
    """A set of patients with endpoints and modalities.

    Parameters
    ----------
    name : str
        Key used in the workspace and on the command line (lower case, digits, ``-`` and ``_``).
    title : str
        Words for a page.
    patients : DataFrame of n rows
        Index = pseudonyms (unique strings). Columns are described by ``roles``; units stand in ``units``.
    roles : mapping of column to Role
    endpoints : mapping of name to Endpoint
        At least one; every array is row for row with ``patients``. The first is the default.
    availability : DataFrame of bool, n rows
        One column a modality that the cohort has at all, in the order of :class:`Modality`.
    genomics : Genomics or None
    folds : mapping of name to Folds
        Fold plans that came with the data, e.g. ``"published"``.
    units, labels : mapping of column to str
        Unit and words for a column, where known.
    provenance : Provenance
    exclusions, warnings : tuples
    synthetic : bool
        True for generated patients; every page and figure then says so.
    """

    name: str
    title: str
    patients: pd.DataFrame
    roles: Mapping[str, Role]
    endpoints: Mapping[str, Endpoint]
    availability: pd.DataFrame
    provenance: Provenance
    genomics: Genomics | None = None
    folds: Mapping[str, Folds] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    exclusions: tuple[Exclusion, ...] = ()
    warnings: tuple[str, ...] = ()
    synthetic: bool = False

    def __len__(self) -> int:
        return len(self.patients)

    @property
    def ids(self) -> tuple[str, ...]:
        """Pseudonyms in row order."""
        return tuple(self.patients.index)

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """Modalities that at least one patient has."""
        return tuple(Modality(c) for c in self.availability.columns if bool(self.availability[c].any()))

    def columns(self, role: Role) -> tuple[str, ...]:
        """Columns of the patients table with this role, in table order."""
        return tuple(c for c in self.patients.columns if self.roles[c] is role)

    @property
    def sites(self) -> pd.Series | None:
        """Site of each patient, or None when the cohort has no site column."""
        columns = self.columns(Role.SITE)
        return self.patients[columns[0]] if columns else None

    def endpoint(self, name: str | None = None) -> Endpoint:
        """The endpoint called ``name``, or the default one. Raises when there is none of that name."""
        if name is None:
            return next(iter(self.endpoints.values()))
        if name not in self.endpoints:
            raise PrognoscopeError(
                f"no endpoint named {name!r}", f"cohort {self.name!r}", f"use one of {', '.join(self.endpoints)}"
            )
        return self.endpoints[name]

    def label(self, column: str) -> str:
        """Words for a column."""
        return self.labels.get(column, column.replace("_", " "))

    def take(self, rows: IntArray | BoolArray) -> Cohort:
        """The cohort of a subset of its patients, in the order of ``rows``."""
        index: IntArray = np.arange(len(self))[rows]
        return replace(
            self,
            patients=self.patients.iloc[index],
            endpoints={k: e.take(index) for k, e in self.endpoints.items()},
            availability=self.availability.iloc[index],
            genomics=self.genomics.take(index) if self.genomics else None,
            folds={k: Folds(f.name, f.test_fold[index]) for k, f in self.folds.items()},
        )

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over everything a result could depend on (patients, endpoints, genes, families, folds)."""
        digest = hashlib.sha256()
        digest.update(pd.util.hash_pandas_object(self.patients.astype("string"), index=True).to_numpy().tobytes())
        digest.update("|".join(f"{c}:{self.roles[c]}" for c in self.patients.columns).encode())
        digest.update(self.availability.to_numpy(dtype=bool).tobytes())
        for endpoint in self.endpoints.values():
            digest.update(f"{endpoint.name}|{endpoint.time_zero}".encode())
            for array in (endpoint.entry, endpoint.time, endpoint.codes):
                digest.update(np.ascontiguousarray(array).tobytes())
        for folds in self.folds.values():
            digest.update(folds.name.encode() + np.ascontiguousarray(folds.test_fold).tobytes())
        if self.genomics is not None:
            digest.update("|".join(self.genomics.columns).encode())
            digest.update(repr(sorted(self.genomics.families.items())).encode())
            digest.update(np.ascontiguousarray(self.genomics.values).tobytes())
        return digest.hexdigest()

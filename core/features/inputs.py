"""What an estimator is given: raw values of some patients, and which modalities each of them has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.arrays import BoolArray, FloatArray, IntArray
from core.cohort.cohort import Cohort, Exclusion, Role
from core.cohort.endpoint import Endpoint
from core.cohort.modality import ENCODED_MODALITIES, Modality
from core.cohort.wording import plural
from core.errors import PrognoscopeError

Bag = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Outcome:
    """Times in months from time zero; ``codes`` 0 censored, 1 event, 2 competing event (n,)."""

    entry: FloatArray
    time: FloatArray
    codes: IntArray

    @property
    def event(self) -> BoolArray:
        """True where the event of interest happened; a competing event ends observation like censoring."""
        happened: BoolArray = self.codes == 1
        return happened

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: IntArray) -> Outcome:
        return Outcome(self.entry[rows], self.time[rows], self.codes[rows])


@dataclass(frozen=True, eq=False)
class Inputs:
    """Raw model inputs of ``n`` patients, unscaled: whatever is learned from them is learned in ``fit``.

    Parameters
    ----------
    ids : (n,) pseudonyms
    modalities : the modalities in use, in the order of :class:`Modality`
    present : mapping of modality to (n,) bool
    genes : (n, g) float32 or None
        Only the columns that stand in a family; NaN where missing.
    columns : names of the g columns
    families : family name → column numbers within ``genes``
    clinical : DataFrame of n rows or None
        Numeric and categorical clinical inputs; NaN where missing.
    groups : (n,) each patient's cancer, for models with experts for each; empty where the cohort does not say
    bags : mapping of modality (slides, volumes, reports) to n arrays (rows, features), None where a patient has none
    """

    ids: tuple[str, ...]
    modalities: tuple[Modality, ...]
    present: Mapping[Modality, BoolArray]
    genes: NDArray[np.float32] | None = None
    columns: tuple[str, ...] = ()
    families: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    clinical: pd.DataFrame | None = None
    bags: Mapping[Modality, tuple[Bag | None, ...]] = field(default_factory=dict)
    groups: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: IntArray) -> Inputs:
        """The same inputs for a subset of patients, in the order of ``rows``."""
        return replace(
            self,
            ids=tuple(self.ids[i] for i in rows),
            present={m: p[rows] for m, p in self.present.items()},
            genes=None if self.genes is None else self.genes[rows],
            clinical=None if self.clinical is None else self.clinical.iloc[rows],
            bags={m: tuple(b[i] for i in rows) for m, b in self.bags.items()},
            groups=tuple(self.groups[i] for i in rows) if self.groups else (),
        )

    def joined(self, other: Inputs) -> Inputs:
        """These patients and then those of ``other``, which has the same modalities and columns."""
        genes = None if self.genes is None or other.genes is None else np.concatenate([self.genes, other.genes])
        frames = None if self.clinical is None or other.clinical is None else [self.clinical, other.clinical]
        return replace(
            self,
            ids=(*self.ids, *other.ids),
            present={m: np.concatenate([p, other.present[m]]) for m, p in self.present.items()},
            genes=genes,
            clinical=None if frames is None else pd.concat([f[frames[0].columns] for f in frames]),
            bags={m: (*b, *other.bags[m]) for m, b in self.bags.items()},
            groups=(*self.groups, *other.groups) if self.groups else (),
        )

    def only(self, modality: Modality) -> Inputs:
        """The same patients with one modality alone."""
        genes = modality is Modality.GENOMICS
        return replace(
            self,
            modalities=(modality,),
            present={modality: self.present[modality]},
            genes=self.genes if genes else None,
            columns=self.columns if genes else (),
            families=self.families if genes else {},
            clinical=self.clinical if modality is Modality.CLINICAL else None,
            bags={m: b for m, b in self.bags.items() if m is modality},
        )


class _EncodedModality(Protocol):
    """Which patients have features of a modality, and who was skipped."""

    @property
    def keys(self) -> Mapping[str, str]: ...

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]: ...


class _Encoded(Protocol):
    @property
    def features(self) -> Bag: ...


class EncodedFeatures(Protocol):
    """Where bags come from (:class:`core.features.encoded.EncodedCohort`). Models see this file, and know no store."""

    @property
    def modalities(self) -> tuple[Modality, ...]: ...

    def of(self, modality: Modality) -> _EncodedModality: ...

    def read(self, patient: str, modality: Modality) -> _Encoded | None: ...

    def encoders(self, modalities: tuple[Modality, ...]) -> Mapping[str, Mapping[str, Any]]: ...


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs and outcomes of the patients that can take part, ``rows`` their places in the cohort.

    ``excluded`` counts everybody left out and says why · ``warnings`` what else to know of the inputs · ``encoders``
    modality → how its bags were made.
    """

    inputs: Inputs
    outcome: Outcome
    rows: IntArray
    excluded: tuple[Exclusion, ...]
    warnings: tuple[str, ...] = ()
    encoders: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def build_dataset(
    cohort: Cohort, endpoint: Endpoint, modalities: tuple[Modality, ...], features: EncodedFeatures | None = None
) -> Dataset:
    """Gather the patients with a usable outcome and at least one of ``modalities``.

    ``features`` holds the encoded slides, volumes and reports. A patient whose file could not be encoded is without
    that modality, which is counted in ``warnings``.

    Raises
    ------
    PrognoscopeError
        If the cohort has none of a modality that was asked for, or it is not (or not wholly) encoded.
    """
    ordered = tuple(m for m in Modality if m in modalities)
    for modality in ordered:
        if modality not in cohort.modalities:
            raise PrognoscopeError(
                f"no patient has {modality.value}",
                f"cohort {cohort.name!r}",
                f"choose from {', '.join(cohort.modalities)}",
            )
    available = cohort.availability[[m.value for m in ordered]].to_numpy(dtype=bool)
    available, warnings = _with_features(cohort, ordered, available, features)
    usable = endpoint.known & available.any(axis=1)
    rows = np.flatnonzero(usable)
    excluded = [
        Exclusion(f"no usable time for {endpoint.name}", int((~endpoint.known).sum())),
        Exclusion(f"none of {', '.join(ordered)}", int((endpoint.known & ~available.any(axis=1)).sum())),
    ]
    return Dataset(
        _inputs(cohort, rows, ordered, available, features),
        Outcome(endpoint.entry[rows], endpoint.time[rows], endpoint.codes[rows]),
        rows,
        tuple(e for e in excluded if e.count),
        warnings,
        features.encoders(ordered) if features is not None else {},
    )


def _with_features(
    cohort: Cohort, modalities: tuple[Modality, ...], available: BoolArray, features: EncodedFeatures | None
) -> tuple[BoolArray, tuple[str, ...]]:
    """Availability once features are looked for, and how many patients have a file that could not be encoded."""
    available, warnings = available.copy(), []
    where, fix = f"cohort {cohort.name!r}", f"run ./run cli encode {cohort.name}"
    for column, modality in enumerate(modalities):
        if modality not in ENCODED_MODALITIES:
            continue
        if features is None or modality not in features.modalities:
            raise PrognoscopeError(f"the {modality.value} are not encoded", where, fix)
        known = features.of(modality)
        there = np.isin(cohort.ids, list(known.keys))
        failed = np.isin(cohort.ids, [patient for patient, _ in known.skipped])
        waiting = int((available[:, column] & ~there & ~failed).sum())
        if waiting:
            raise PrognoscopeError(f"the {modality.value} of {plural(waiting, 'patient')} not encoded", where, fix)
        lost = int((available[:, column] & ~there).sum())
        if lost:
            warnings.append(f"the {modality.value} of {plural(lost, 'patient')} could not be read and count as missing")
        available[:, column] &= there
    return available, tuple(warnings)


def _inputs(
    cohort: Cohort,
    rows: IntArray,
    modalities: tuple[Modality, ...],
    available: BoolArray,
    features: EncodedFeatures | None,
) -> Inputs:
    genes: NDArray[np.float32] | None = None
    columns: tuple[str, ...] = ()
    families: dict[str, tuple[int, ...]] = {}
    if Modality.GENOMICS in modalities and cohort.genomics is not None:
        used = sorted({c for family in cohort.genomics.families.values() for c in family})
        place = {c: i for i, c in enumerate(used)}
        genes = np.asarray(cohort.genomics.values[rows][:, used], dtype=np.float32)
        columns = tuple(cohort.genomics.columns[c] for c in used)
        families = {name: tuple(place[c] for c in f) for name, f in cohort.genomics.families.items() if f}
    clinical = None
    if Modality.CLINICAL in modalities:
        clinical = cohort.patients[list(cohort.columns(Role.INPUT))].iloc[rows]
    return Inputs(
        ids=tuple(cohort.ids[i] for i in rows),
        modalities=modalities,
        present={m: available[rows, i] for i, m in enumerate(modalities)},
        genes=genes,
        columns=columns,
        families=families,
        clinical=clinical,
        groups=_groups(cohort, rows),
        bags={} if features is None else _bags(cohort, rows, modalities, available, features),
    )


def _bags(
    cohort: Cohort, rows: IntArray, modalities: tuple[Modality, ...], available: BoolArray, features: EncodedFeatures
) -> dict[Modality, tuple[Bag | None, ...]]:
    """The stored features of every patient of ``rows``, None where there are none."""
    bags: dict[Modality, tuple[Bag | None, ...]] = {}
    for column, modality in enumerate(modalities):
        if modality in ENCODED_MODALITIES:
            found = [features.read(cohort.ids[i], modality) if available[i, column] else None for i in rows]
            bags[modality] = tuple(None if f is None else f.features for f in found)
    return bags


def _groups(cohort: Cohort, rows: IntArray) -> tuple[str, ...]:
    """Cancer of each patient, where a column of the cohort says it."""
    columns = cohort.columns(Role.CANCER)
    return tuple(cohort.patients[columns[0]].astype(str).iloc[rows]) if columns else ()

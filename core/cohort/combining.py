"""Several cohorts as one, each patient marked with the cancer it came from (a pan-cancer cohort)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from core.arrays import Float32Array
from core.cohort.cohort import Cohort, Exclusion, Provenance, Role
from core.cohort.endpoint import Endpoint
from core.cohort.folds import Folds
from core.cohort.genomics import Genomics
from core.cohort.modality import Modality
from core.cohort.storage import load_cohort, load_original_ids, save_cohort
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.results.workspace import Workspace, checked_name

CANCER = "cancer"


def combine_into(workspace: Workspace, names: Sequence[str], name: str, title: str = "") -> Cohort:
    """Join stored cohorts and store the result; their map of original ids is joined likewise."""
    checked_name(name, "cohort name")
    cohort = combine([load_cohort(n, workspace) for n in names], name, title)
    originals: dict[str, str] = {}
    for part in names:
        originals |= load_original_ids(part, workspace)
    save_cohort(cohort, originals or None, workspace)
    return cohort


def combine(cohorts: Sequence[Cohort], name: str, title: str = "") -> Cohort:
    """One cohort of all patients.

    Endpoints, fold plans and gene families that every cohort has are kept; columns and genes are those of any of
    them, missing where a cohort lacks them. Of the genes only those of a family are kept: nothing else is ever given
    to a model, and eleven tables of all genes would not fit in memory. Slides, scans and reports stay with the
    single cohorts.

    Raises
    ------
    PrognoscopeError
        For fewer than two cohorts, a patient in two of them, no common endpoint, one endpoint counted from
        different moments, or genes of different units.
    """
    _check(cohorts)
    parts = {c.name: c for c in cohorts}
    patients, roles = _patients(parts)
    genomics, dropped = _genomics(cohorts)
    notes = (f"{dropped:,} gene columns in no family: left with the single cohorts.",) if dropped else ()
    return Cohort(
        name=name,
        title=title or f"{plural(len(cohorts), 'cohort')} together",
        patients=patients,
        roles=roles,
        endpoints=_endpoints(cohorts),
        availability=_availability(patients, roles, genomics),
        provenance=Provenance("combined", {}, datetime.now(UTC).isoformat(timespec="seconds"), "1", _origins(cohorts)),
        genomics=genomics,
        folds=_folds(cohorts),
        units=_merged([c.units for c in cohorts], patients),
        labels=_merged([c.labels for c in cohorts], patients) | {CANCER: "cancer"},
        exclusions=tuple(Exclusion(f"{c.name}: {e.reason}", e.count) for c in cohorts for e in c.exclusions),
        warnings=(*notes, *(f"{c.name}: {w}" for c in cohorts for w in c.warnings)),
        synthetic=any(c.synthetic for c in cohorts),
    )


def _check(cohorts: Sequence[Cohort]) -> None:
    if len(cohorts) < 2:
        raise PrognoscopeError(plural(len(cohorts), "cohort"), "the cohorts to combine", "name at least two")
    ids = pd.Series([i for c in cohorts for i in c.ids])
    if ids.duplicated().any():
        raise PrognoscopeError(
            plural(int(ids.duplicated().sum()), "patient") + " in more than one of them",
            "the cohorts to combine",
            "leave one of these cohorts out",
        )


def _origins(cohorts: Sequence[Cohort]) -> tuple[str, ...]:
    return tuple(f"{c.name}: {len(c):,} patients, content {c.content_hash[:12]}" for c in cohorts)


def _patients(parts: Mapping[str, Cohort]) -> tuple[pd.DataFrame, dict[str, Role]]:
    """The tables below each other. A column has the role it has in the first cohort that holds it."""
    frames, roles = [], dict[str, Role]()
    for name, cohort in parts.items():
        frames.append(cohort.patients.drop(columns=CANCER, errors="ignore").assign(**{CANCER: name}))
        for column, role in cohort.roles.items():
            roles.setdefault(column, role)
    patients = pd.concat(frames)
    for column in patients.columns:
        if patients[column].dtype == object:
            patients[column] = patients[column].where(patients[column].notna(), None)
    roles[CANCER] = Role.CANCER
    return patients, {c: roles[c] for c in patients.columns}


def _endpoints(cohorts: Sequence[Cohort]) -> dict[str, Endpoint]:
    common = [n for n in cohorts[0].endpoints if all(n in c.endpoints for c in cohorts)]
    if not common:
        raise PrognoscopeError("no endpoint they all have", "the cohorts to combine", "combine cohorts of one endpoint")
    joined = {}
    for name in common:
        each = [c.endpoints[name] for c in cohorts]
        if len({e.time_zero for e in each}) > 1:
            raise PrognoscopeError(
                f"{name} is counted from different moments",
                "the cohorts to combine",
                "import them with one --time-zero",
            )
        joined[name] = replace(
            each[0],
            entry=np.concatenate([e.entry for e in each]),
            time=np.concatenate([e.time for e in each]),
            event=np.concatenate([e.event for e in each]),
            competing=np.concatenate([e.competing for e in each]),
        )
    return joined


def _genomics(cohorts: Sequence[Cohort]) -> tuple[Genomics | None, int]:
    """Genes of the families all cohorts share the names of, and how many columns were left behind."""
    with_genes = [c.genomics for c in cohorts if c.genomics is not None]
    if not with_genes:
        return None, 0
    names = [f for f in with_genes[0].families if all(f in g.families for g in with_genes)]
    members = {f: sorted({g.columns[i] for g in with_genes for i in g.families[f]}) for f in names}
    columns = tuple(sorted({c for family in members.values() for c in family}))
    place = {c: i for i, c in enumerate(columns)}
    units = _units(with_genes)
    parts: list[Float32Array] = []
    for cohort in cohorts:
        values = np.full((len(cohort), len(columns)), np.nan, dtype=np.float32)
        if cohort.genomics is not None:
            here = [(i, place[c]) for i, c in enumerate(cohort.genomics.columns) if c in place]
            source, target = (np.array(x, dtype=np.int64) for x in zip(*here, strict=True))
            values[:, target] = cohort.genomics.values[:, source]
        parts.append(values)
    families = {f: tuple(place[c] for c in members[f]) for f in names}
    dropped = len({c for g in with_genes for c in g.columns} - set(columns))
    return Genomics(np.concatenate(parts), columns, units, families), dropped


def _units(tables: Sequence[Genomics]) -> dict[str, str]:
    units: dict[str, str] = {}
    for table in tables:
        for kind, unit in table.units.items():
            if units.setdefault(kind, unit) != unit:
                raise PrognoscopeError(
                    f"{kind} in {units[kind]} and in {unit}", "the cohorts to combine", "combine cohorts of one unit"
                )
    return units


def _availability(patients: pd.DataFrame, roles: Mapping[str, Role], genomics: Genomics | None) -> pd.DataFrame:
    columns = {}
    if genomics is not None:
        columns[str(Modality.GENOMICS)] = genomics.present
    inputs = [c for c in patients.columns if roles[c] is Role.INPUT]
    if inputs:
        columns[str(Modality.CLINICAL)] = patients[inputs].notna().any(axis=1).to_numpy(dtype=bool)
    return pd.DataFrame(columns, index=patients.index)


def _folds(cohorts: Sequence[Cohort]) -> dict[str, Folds]:
    """Fold i of the result is fold i of every cohort."""
    common = [n for n in cohorts[0].folds if all(n in c.folds for c in cohorts)]
    return {n: Folds(n, np.concatenate([c.folds[n].test_fold for c in cohorts])) for n in common}


def _merged(maps: Sequence[Mapping[str, str]], patients: pd.DataFrame) -> dict[str, str]:
    return {k: v for words in reversed(maps) for k, v in words.items() if k in patients}

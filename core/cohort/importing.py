"""From a path to a cohort: recognise the format, read it, hide the original ids, match the gene families."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from core.cohort import families as gene_families
from core.cohort.cohort import Cohort, Provenance, Role
from core.cohort.folds import Folds
from core.cohort.genomics import Genomics, one_family
from core.cohort.importers.draft import Draft, Progress, silent
from core.cohort.importers.joining import join, read_clinical
from core.cohort.importers.readers import READERS, ReadOptions
from core.cohort.importers.recognise import FORMATS, recognise
from core.cohort.modality import Modality
from core.cohort.pseudonyms import pseudonyms, workspace_secret
from core.cohort.splits import read_split_folder
from core.cohort.storage import save_cohort
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.results.files import sha256_of
from core.results.workspace import Workspace, checked_name

IMPORTER_VERSION = "1"


@dataclass(frozen=True, eq=False)
class Imported:
    """A cohort under pseudonyms, and the map from pseudonym to original id, which belongs in ``protected`` only."""

    cohort: Cohort
    original_ids: Mapping[str, str]


def import_cohort(
    path: Path,
    name: str,
    *,
    format: str | None = None,
    families: Path | None = None,
    clinical: Sequence[Path] = (),
    events: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    time_zero: str | None = None,
    title: str | None = None,
    secret: bytes | Callable[[], bytes] | None = None,
    progress: Progress = silent,
) -> Imported:
    """Read a study; nothing is written but, on first use, the workspace's pseudonym secret.

    Parameters
    ----------
    path : Path
        A table or a study folder.
    name : str
        Key of the cohort in the workspace.
    format : str, optional
        One of ``FORMATS``; recognised by itself when not given.
    families : Path, optional
        CSV or GMT of gene families; one family of all genes without it.
    clinical : sequence of Path
        GDC ``clinical.tsv`` or biotab folders to join by case id.
    events : mapping of str to str, optional
        The user's meaning of each outcome code: ``censored``, ``event`` or ``competing``.
    columns : mapping, optional
        For the ``table`` format: ``id``, ``time``, ``event`` and, where they exist, ``entry``, ``time_unit``.
    time_zero : str, optional
        The moment months are counted from, where the user knows better than the format.
    title : str, optional
        Words for a page, where the file's name will not do.
    secret : bytes or function that gives them, optional
        Key of the pseudonyms; that of the default workspace when not given. It is asked for last, so that a study
        that is refused leaves a new workspace without even a key.

    Raises
    ------
    PrognoscopeError
        For input that cannot be trusted; one sentence, never with an original id.
    """
    checked_name(name, "cohort name")
    path = Path(path).absolute()
    draft = READERS[_format(path, format, columns or {})](path, ReadOptions(events, columns or {}, progress))
    for table in clinical:
        draft = join(draft, read_clinical(Path(table), set(draft.ids)))
    _check(draft, path.name)
    if time_zero:
        moved = {k: replace(e, time_zero=time_zero) for k, e in draft.endpoints.items()}
        draft = replace(draft, endpoints=moved)
    if title:
        draft = replace(draft, title=title)
    progress(0.85, "assigning pseudonyms and gene families")
    genes = _genomics(draft, families)
    if secret is None:
        secret = workspace_secret(Workspace.default())
    return _assemble(draft, name, genes, secret if isinstance(secret, bytes) else secret())


def import_into(workspace: Workspace, path: Path, name: str, **options: object) -> Cohort:
    """Import and save. When anything fails, the workspace holds what it held before.

    Parameters
    ----------
    **options
        The keyword arguments of :func:`import_cohort`.
    """
    imported = import_cohort(path, name, secret=lambda: workspace_secret(workspace), **options)  # type: ignore[arg-type]
    save_cohort(imported.cohort, imported.original_ids, workspace)
    return imported.cohort


def _format(path: Path, forced: str | None, columns: Mapping[str, str]) -> str:
    """The format asked for, or the one the path is in; a choice that would be ignored is refused."""
    if not path.exists():
        raise PrognoscopeError("no such file or folder", path.name, "check the path")
    kind = forced or recognise(path)
    if kind not in FORMATS:
        raise PrognoscopeError(f"no format named {kind!r}", "--format", f"use one of {', '.join(FORMATS)}")
    if columns and kind != "table":
        raise PrognoscopeError(
            f"columns named for the format {kind}, which knows its own", path.name, "leave them out or force table"
        )
    return kind


def _check(draft: Draft, where: str) -> None:
    """Refuse a study nothing could be learned from."""
    if len(draft.ids) < 2:
        raise PrognoscopeError(plural(len(draft.ids), "patient"), where, "import a cohort of at least two patients")
    if not draft.endpoints:
        raise PrognoscopeError("no outcome", where, "give a table with a time and an event for each patient")
    if not any(e.event.any() for e in draft.endpoints.values()):
        raise PrognoscopeError("no patient with an event", where, "check which code means event")


def _assemble(draft: Draft, name: str, genes: tuple[Genomics | None, tuple[str, ...]], secret: bytes) -> Imported:
    hidden = pseudonyms(draft.ids, secret)
    index = pd.Index([hidden[i] for i in draft.ids], name="patient", dtype=object)
    genomics, family_warnings = genes
    patients, leaking = _without_ids(draft)
    folds, split_warnings = _folds(draft, hidden)
    patients.index = index
    ids = {hidden[i]: i for i in draft.ids}
    cohort = Cohort(
        name=name,
        title=draft.title,
        patients=patients,
        roles={c: draft.roles[c] for c in patients.columns},
        endpoints=dict(draft.endpoints),
        availability=_availability(patients, draft.roles, genomics),
        provenance=_provenance(draft),
        genomics=genomics,
        folds=folds,
        units={k: u for k, u in draft.units.items() if k in patients},
        labels={k: u for k, u in draft.labels.items() if k in patients},
        exclusions=draft.exclusions,
        warnings=(*draft.warnings, *_missing_outcomes(draft), *family_warnings, *split_warnings, *leaking),
    )
    return Imported(cohort, ids)


def _genomics(draft: Draft, families: Path | None) -> tuple[Genomics | None, tuple[str, ...]]:
    if draft.genes is None:
        if families is not None:
            return None, ("Gene families were given but the study has no genes.",)
        return None, ()
    genes = draft.genes
    if families is None:
        return Genomics(genes.values, genes.columns, genes.units, one_family(genes.columns)), ()
    matched = gene_families.match(genes.columns, gene_families.read_families(families))
    return Genomics(genes.values, genes.columns, genes.units, dict(matched.families)), matched.warnings


def _folds(draft: Draft, hidden: Mapping[str, str]) -> tuple[dict[str, Folds], list[str]]:
    """Fold plans that came with the study; offending patients are named by their pseudonyms."""
    found, warnings = {}, []
    for plan, folder in draft.splits.items():
        assigned, more = read_split_folder(folder, draft.ids, hidden)
        found[plan] = Folds(plan, assigned)
        warnings += more
    return found, warnings


def _without_ids(draft: Draft) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The patients table without any text column in which an original id occurs."""
    kept, dropped = [], 0
    for column in draft.patients.columns:
        if _repeats_ids(draft.patients[column], draft.ids):
            dropped += 1
        else:
            kept.append(column)
    words = (f"{plural(dropped, 'column')} that repeat the patients' ids: left out.",) if dropped else ()
    return draft.patients[kept].copy(), words


def _repeats_ids(values: pd.Series, ids: Sequence[str]) -> bool:
    """True when a cell contains its own row's id, or is any patient's id."""
    if values.dtype != object:
        return bool(_as_numbers(ids) == values.tolist())
    known = {i.lower() for i in ids if len(i) > 3}
    for cell, own in zip(values, ids, strict=True):
        text = str(cell).lower()
        if cell is not None and (text in known or (len(own) > 3 and own.lower() in text)):
            return True
    return False


def _as_numbers(ids: Sequence[str]) -> list[float] | None:
    try:
        return [float(i) for i in ids]
    except ValueError:
        return None


def _availability(patients: pd.DataFrame, roles: Mapping[str, Role], genomics: Genomics | None) -> pd.DataFrame:
    columns = {}
    if genomics is not None:
        columns[str(Modality.GENOMICS)] = genomics.present
    inputs = [c for c in patients.columns if roles[c] is Role.INPUT]
    if inputs:
        columns[str(Modality.CLINICAL)] = patients[inputs].notna().any(axis=1).to_numpy(dtype=bool)
    return pd.DataFrame(columns, index=patients.index)


def _missing_outcomes(draft: Draft) -> tuple[str, ...]:
    found = []
    for endpoint in draft.endpoints.values():
        missing = int((~endpoint.known).sum())
        if missing:
            found.append(f"{plural(missing, 'patient')} without a usable {endpoint.name} outcome: kept, not analysed.")
        if int(np.sum(endpoint.time == 0)):
            at_zero = int(np.sum(endpoint.time == 0))
            found.append(f"{plural(at_zero, 'patient')} with {endpoint.name} time 0: kept.")
    return tuple(found)


def _provenance(draft: Draft) -> Provenance:
    files = {p.name: sha256_of(p) for p in draft.files}
    return Provenance(
        draft.format, files, datetime.now(UTC).isoformat(timespec="seconds"), IMPORTER_VERSION, draft.notes
    )

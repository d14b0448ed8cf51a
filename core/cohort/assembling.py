"""From a draft under original ids to a cohort under pseudonyms: families matched, folds read, ids hidden everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from core.cohort import families as gene_families
from core.cohort.cohort import Cohort, Provenance, Role
from core.cohort.fingerprint import PARTIAL_NOTE, combined, fingerprint, is_partial
from core.cohort.folds import Folds
from core.cohort.genomics import Genomics, one_family
from core.cohort.importers.draft import Draft
from core.cohort.media_index import MediaFile, MediaIndex, MediaKind
from core.cohort.modality import Modality
from core.cohort.pseudonyms import pseudonyms
from core.cohort.report_findings import NOTHING_FOUND, Decided, Identifying, ReportFindings, decide
from core.cohort.report_texts import ReportText, hide_ids
from core.cohort.split_files import read_split_folder
from core.cohort.wording import plural
from core.results.files import sha256_of

IMPORTER_VERSION = "2"


@dataclass(frozen=True, eq=False)
class Imported:
    """A cohort under pseudonyms, and what belongs in ``protected`` only.

    Parameters
    ----------
    original_ids : mapping of pseudonym to original id
    media : MediaIndex
        Slides, scans and masks where they lie.
    reports : tuple of ReportText
        Texts without original ids; they become files, and enter the index, when the cohort is saved.
    found : ReportFindings
        What in the texts, as they came, may tell who a patient is.
    read_whole : tuple of Path
        Tables and texts that nothing refers to any more.
    """

    cohort: Cohort
    original_ids: Mapping[str, str]
    media: MediaIndex = field(default_factory=MediaIndex)
    reports: tuple[ReportText, ...] = ()
    read_whole: tuple[Path, ...] = ()
    found: ReportFindings = NOTHING_FOUND


@dataclass(frozen=True, eq=False)
class MatchedGenes:
    """The gene table with its families, or None for a study without genes."""

    genomics: Genomics | None
    warnings: tuple[str, ...] = ()


def match_genes(draft: Draft, families: Path | None) -> MatchedGenes:
    """Match gene families (CSV or GMT) to the study's gene columns; one family of all genes without them."""
    if draft.genes is None:
        return MatchedGenes(None, ("Gene families were given but the study has no genes.",) if families else ())
    genes = draft.genes
    if families is None:
        return MatchedGenes(Genomics(genes.values, genes.columns, genes.units, one_family(genes.columns)))
    matched = gene_families.match(genes.columns, gene_families.read_families(families))
    return MatchedGenes(Genomics(genes.values, genes.columns, genes.units, dict(matched.families)), matched.warnings)


@dataclass(frozen=True, eq=False)
class ReadFolds:
    """Fold plans that came with a study."""

    folds: Mapping[str, Folds]
    warnings: tuple[str, ...] = ()


def read_folds(draft: Draft, secret: bytes | None) -> ReadFolds:
    """Read the fold plans; patients of a plan that leaks are named by their pseudonyms when ``secret`` is known."""
    names = pseudonyms(draft.ids, secret) if secret is not None and draft.splits else None
    found: dict[str, Folds] = {}
    warnings: list[str] = []
    for plan, folder in draft.splits.items():
        assigned, more = read_split_folder(folder, draft.ids, names)
        found[plan] = Folds(plan, assigned)
        warnings += more
    return ReadFolds(found, tuple(warnings))


def assemble(
    draft: Draft,
    name: str,
    genes: MatchedGenes,
    folds: ReadFolds,
    secret: bytes,
    identifying: Identifying | None = None,
) -> Imported:
    """The cohort called ``name``. Nothing is read but the media's bytes, for their fingerprints.

    ``identifying`` says what becomes of reports that may tell who a patient is; with None one of them is refused.
    """
    hidden = pseudonyms(draft.ids, secret)
    index = pd.Index([hidden[i] for i in draft.ids], name="patient", dtype=object)
    patients, leaking = _without_ids(draft)
    patients.index = index
    media = MediaIndex(
        tuple(MediaFile(hidden[m.patient], m.modality, m.kind, str(m.path), m.label) for m in draft.media)
    )
    decided = _reports(draft, hidden, identifying)
    reports = decided.reports
    cohort = Cohort(
        name=name,
        title=name if _names_patient(draft.title, draft.ids) else draft.title,
        patients=patients,
        roles={c: draft.roles[c] for c in patients.columns},
        endpoints=dict(draft.endpoints),
        availability=_availability(patients, draft.roles, genes.genomics, media, reports),
        provenance=_provenance(draft),
        genomics=genes.genomics,
        folds=folds.folds,
        units={k: u for k, u in draft.units.items() if k in patients},
        labels={k: u for k, u in draft.labels.items() if k in patients},
        exclusions=draft.exclusions,
        warnings=(
            *draft.warnings, *_missing_outcomes(draft), *genes.warnings, *folds.warnings, *leaking, *decided.warnings,
        ),
    )  # fmt: skip
    whole = (*draft.files, *(r.source for r in draft.reports if r.source is not None))
    return Imported(cohort, {hidden[i]: i for i in draft.ids}, media, reports, whole, decided.found)


def check_reports(draft: Draft) -> None:
    """Refuse a study with reports that may tell who a patient is, before anything is made for it."""
    _reports(draft, pseudonyms(draft.ids, b"looked at alone"), None)


def _reports(draft: Draft, hidden: Mapping[str, str], identifying: Identifying | None) -> Decided:
    """Report texts without original ids, and how many ids that took; then what else identifies, as decided."""
    texts, replaced, touched = [], 0, 0
    for report in draft.reports:
        text, count = hide_ids(report.text, report.patient, hidden)
        texts.append(ReportText(hidden[report.patient], text, report.label))
        replaced, touched = replaced + count, touched + (count > 0)
    if not texts:
        return Decided((), NOTHING_FOUND)
    words = f"{plural(replaced, 'original id')} in {plural(touched, 'report')}: replaced by the pseudonym"
    decided = decide(texts, identifying)
    return replace(decided, warnings=(f"{words}.", *decided.warnings))


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


def _availability(
    patients: pd.DataFrame,
    roles: Mapping[str, Role],
    genomics: Genomics | None,
    media: MediaIndex,
    reports: Sequence[ReportText],
) -> pd.DataFrame:
    """Who has what, a column for each modality that anybody has, in the order of :class:`Modality`."""
    having = {m: media.patients(m) for m in (Modality.SLIDES, Modality.VOLUMES, Modality.REPORTS)}
    having[Modality.REPORTS] |= {r.patient for r in reports}
    columns = {m: patients.index.isin(list(owners)) for m, owners in having.items() if owners}
    if genomics is not None:
        columns[Modality.GENOMICS] = genomics.present
    inputs = [c for c in patients.columns if roles[c] is Role.INPUT]
    if inputs:
        columns[Modality.CLINICAL] = patients[inputs].notna().any(axis=1).to_numpy(dtype=bool)
    return pd.DataFrame({str(m): columns[m] for m in Modality if m in columns}, index=patients.index)


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
    files = {_shown_name(p, k, draft.ids): sha256_of(p) for k, p in enumerate(draft.files)}
    notes = draft.notes
    paths: dict[str, list[Path]] = {}
    for medium in draft.media:
        paths.setdefault(_KIND_WORDS[medium.kind], []).append(medium.path)
    for report in draft.reports:
        if report.source is not None:
            paths.setdefault(_KIND_WORDS[MediaKind.REPORT], []).append(report.source)
    for word, found in sorted(paths.items()):
        files[plural(len(found), word)] = combined(fingerprint(p) for p in found)
    if any(is_partial(p) for found in paths.values() for p in found):
        notes = (*notes, PARTIAL_NOTE)
    return Provenance(draft.format, files, datetime.now(UTC).isoformat(timespec="seconds"), IMPORTER_VERSION, notes)


_KIND_WORDS = {
    MediaKind.SLIDE: "slide", MediaKind.SLIDE_FEATURES: "slide feature file", MediaKind.VOLUME: "volume",
    MediaKind.MASK: "mask", MediaKind.REPORT: "report file",
}  # fmt: skip


def _shown_name(path: Path, number: int, ids: Sequence[str]) -> str:
    """The file's name, or its number where the name repeats a patient's id."""
    return f"file {number + 1}{path.suffix}" if _names_patient(path.name, ids) else path.name


def _names_patient(name: str, ids: Sequence[str]) -> bool:
    """True when a name holds a patient's id; a short one (``12``) only counts when it is the whole name."""
    text, whole = name.lower(), name.partition(".")[0].lower()
    return any(i.lower() == whole or (len(i) > 3 and i.lower() in text) for i in ids)

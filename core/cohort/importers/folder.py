"""A plain study folder: ``patients.csv`` and, for each patient, slides, volumes, masks, reports or slide features.

The table follows the rules of ``table``; its columns ``id``, ``time`` and ``event`` need not be named when they are
called so. Where media lie is told in :mod:`core.cohort.importers.media_scan`. A table ``reports.csv`` in the folder
is joined like one given with ``--reports``. A zip of the folder is unpacked first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from core.cohort.importers.archive import TABLES, is_study_archive, unpack_study
from core.cohort.importers.draft import Draft, DraftMedium, DraftReport, Progress, silent
from core.cohort.importers.feature_files import Finding, look_at
from core.cohort.importers.media_scan import MediaScan, scan_list, scan_media
from core.cohort.importers.report_tables import join_reports, read_reports, read_text
from core.cohort.importers.table import read_table
from core.cohort.importers.tcga_table import read_tcga_table
from core.cohort.importers.wide_table import read_header
from core.cohort.media_index import MediaKind
from core.cohort.modality import Modality
from core.cohort.wording import plural
from core.errors import PrognoscopeError

FORMAT = "folder"
PLAIN_COLUMNS = ("id", "time", "event", "entry", "time_unit", "site")
"""Roles whose column need not be named when it is called like the role."""
REPORTS = "reports.csv"


def patients_table(folder: Path) -> Path | None:
    """``patients.csv`` or ``patients.tsv`` of a study folder; None where there is none."""
    if not folder.is_dir():
        return None
    return next((p for p in sorted(folder.iterdir()) if p.is_file() and p.name.lower() in TABLES), None)


def read_folder(
    path: Path,
    columns: Mapping[str, str],
    events: Mapping[str, str] | None = None,
    progress: Progress = silent,
    unpack_to: Path | None = None,
) -> Draft:
    """Read a study folder; slides and scans are only listed, report texts are read, feature files looked into.

    Parameters
    ----------
    path : Path
        The folder, or a zip of it.
    columns, events : mappings
        As for ``table``.
    unpack_to : Path, optional
        New folder for the contents of a zip; without it a zip is refused.

    Raises
    ------
    PrognoscopeError
        For a table that cannot be trusted, an unsafe archive, or a feature file that could run code.
    """
    if not is_study_archive(path):
        return _read(path, columns, events, progress)
    if unpack_to is None:
        raise PrognoscopeError("a zipped study folder", path.name, "unpack it and give the folder")
    progress(0.02, "unpacking the archive")
    # a folder of the archive's name gives the cohort its title
    draft = _read(unpack_study(path, unpack_to), columns, events, progress)
    return replace(draft, title=path.stem, files=(*draft.files, path))


def _read(folder: Path, columns: Mapping[str, str], events: Mapping[str, str] | None, progress: Progress) -> Draft:
    table = patients_table(folder)
    if table is None:
        raise PrognoscopeError("no patients.csv", folder.name, "add the table of the patients to the folder")
    found = with_media(replace(_read_patients(table, columns, events, progress), title=folder.name), folder, progress)
    if (folder / REPORTS).is_file():
        found = join_reports(found, read_reports(folder / REPORTS))
    return replace(found, warnings=(*found.warnings, *_without_media(found)))


def with_media(draft: Draft, folder: Path, progress: Progress = silent) -> Draft:
    """The draft with the slides, scans and reports of its patients that lie in a study folder."""
    progress(0.3, "looking for slides, scans and reports")
    return replace(_with_found(draft, scan_media(folder, draft.ids)), format=FORMAT)


def join_media(draft: Draft, table: Path) -> Draft:
    """The study with the slides, scans and reports that a table like ``files.csv`` names.

    Raises
    ------
    PrognoscopeError
        When the table names no file of a patient of the study.
    """
    scan = scan_list(table, draft.ids)
    if not scan.media:
        words = "; ".join(w.rstrip(".") for w in scan.warnings) or "no line"
        raise PrognoscopeError(
            f"no file of a patient of the study ({words})", table.name, "write each patient's id as in the study"
        )
    having = plural(len({m.patient for m in scan.media}), "patient")
    found = _with_found(draft, scan)
    words = f"{plural(len(scan.media), 'file')} of {having} of {len(draft.ids):,} named in {table.name}."
    return replace(found, files=(*found.files, table), warnings=(*found.warnings, words))


def _with_found(draft: Draft, scan: MediaScan) -> Draft:
    """Slides and scans are only listed, texts read, feature files looked into."""
    media, feature_warnings = _checked_features(scan)
    media, reports = _texts_read(media)
    return replace(
        draft,
        media=(*draft.media, *media),
        reports=(*draft.reports, *reports),
        warnings=(*draft.warnings, *scan.warnings, *feature_warnings),
    )


def _read_patients(
    table: Path, columns: Mapping[str, str], events: Mapping[str, str] | None, progress: Progress
) -> Draft:
    """The table under the user's columns, those that carry the name of their role, or the published TCGA layout."""
    header = read_header(table)
    if not columns and {"case_id", "survival_months", "censorship"} <= set(header):
        return read_tcga_table(table, events, progress)
    roles = {r.partition(":")[0] for r in columns}
    plain = {r: r for r in PLAIN_COLUMNS if r in header and r not in roles and r != "time_unit"}
    return read_table(table, {**plain, **columns}, events, progress)


def _checked_features(scan: MediaScan) -> tuple[list[DraftMedium], list[str]]:
    """The media without unusable feature files; one that could run code ends the import."""
    looked = {m: look_at(m.path) for m in scan.media if m.kind is MediaKind.SLIDE_FEATURES}
    unsafe = sum(f is Finding.RUNS_CODE for f in looked.values())
    if unsafe:
        raise PrognoscopeError(
            f"{plural(unsafe, 'feature file')} that {'is' if unsafe == 1 else 'are'} {Finding.RUNS_CODE.value}",
            "the slide features (.pt)",
            "save plain tensors with a current PyTorch, or use .h5",
        )
    bad = {m for m, finding in looked.items() if finding is Finding.UNUSABLE}
    words = [f"{plural(len(bad), 'feature file')} {Finding.UNUSABLE.value}: left out."] if bad else []
    return [m for m in scan.media if m not in bad], words


def _texts_read(media: list[DraftMedium]) -> tuple[list[DraftMedium], list[DraftReport]]:
    """Report files become texts; one that cannot be read stays a file, for the encoding to report and skip."""
    rest, reports = [], []
    for medium in media:
        text = read_text(medium.path) if medium.kind is MediaKind.REPORT else None
        if text is None:
            rest.append(medium)
        else:
            reports.append(DraftReport(medium.patient, text, medium.label, medium.path))
    return rest, reports


def _without_media(draft: Draft) -> list[str]:
    """How many patients have no file of each modality the study has, and how many have none at all."""
    having: dict[Modality, set[str]] = {}
    for medium in draft.media:
        if medium.kind is not MediaKind.MASK:
            having.setdefault(medium.modality, set()).add(medium.patient)
    if draft.reports:
        having.setdefault(Modality.REPORTS, set()).update(r.patient for r in draft.reports)
    if not having:
        return ["No slide, scan or report of a patient was found in the folder."]
    none = len(draft.ids) - len(set().union(*having.values()))
    return [f"{plural(none, 'patient')} without any slide, scan or report."] if none else []

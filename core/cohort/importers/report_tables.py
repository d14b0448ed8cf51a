"""Report texts: a table with a text for each case, joined to any study, and single text files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.cohort.importers.draft import Draft, DraftReport
from core.cohort.importers.media_files import safe_label
from core.cohort.importers.narrow_table import NarrowTable, read_narrow
from core.cohort.importers.tcga_slides import CASE
from core.cohort.importers.values import is_missing
from core.cohort.wording import plural
from core.errors import PrognoscopeError

LARGEST_BYTES = 5_000_000
ID_COLUMNS = ("case_id", "patient_id", "id", "patient", "bcr_patient_barcode", "subject_id")
TEXT_COLUMNS = ("report_text", "text", "report", "ocr_text", "report text")
LABEL_COLUMNS = ("report_type", "label", "kind", "type")


@dataclass(frozen=True, eq=False)
class ReportTable:
    """Reports by the ids of the table; ``name`` is the file's."""

    name: str
    path: Path
    reports: tuple[DraftReport, ...]
    warnings: tuple[str, ...]


def read_reports(path: Path) -> ReportTable:
    """Read a table of report texts: a column of case ids (``case_id``, ``patient_id``, ``id`` …) and one of texts.

    A row without text or id is left out and counted, as is one that repeats another word for word. A column
    ``label`` or ``report_type`` names the kind of report; without one it is told by the file's name.

    Raises
    ------
    PrognoscopeError
        For an unreadable file or one without these columns.
    """
    table = read_narrow(path)
    ids = [c.strip() for c in table[_column(table, ID_COLUMNS, "case ids")]]
    texts = table[_column(table, TEXT_COLUMNS, "texts")]
    label_column = next((c for c in table.columns if c.lower() in LABEL_COLUMNS), "")
    labels = table[label_column] if label_column else [_kind_by_name(path)] * len(ids)
    found: dict[tuple[str, str], DraftReport] = {}
    empty = 0
    for original, text, label in zip(ids, texts, labels, strict=True):
        if is_missing(original) or is_missing(text):
            empty += 1
            continue
        plain = text.replace("\r\n", "\n").replace("\r", "\n")
        found.setdefault((original, plain), DraftReport(original, plain, safe_label(label, original)))
    warnings = list(table.warnings)
    if empty:
        warnings.append(f"{plural(empty, 'row')} of {path.name} without an id or a text: left out.")
    repeated = len(ids) - empty - len(found)
    if repeated:
        warnings.append(f"{plural(repeated, 'report')} of {path.name} word for word like another: left out.")
    return ReportTable(path.name, path, tuple(found.values()), tuple(warnings))


def _column(table: NarrowTable, names: Sequence[str], what: str) -> str:
    by_name = {c.strip().lower(): c for c in table.columns}
    found = next((by_name[n] for n in names if n in by_name), None)
    if found is None:
        raise PrognoscopeError(f"no column of {what}", table.name, f"call it {names[0]}")
    return found


def _kind_by_name(path: Path) -> str:
    name = path.name.lower()
    words = (("path", "pathology"), ("radio", "radiology"))
    return next((label for part, label in words if part in name), "")


def join_reports(draft: Draft, table: ReportTable) -> Draft:
    """The study with the reports of its patients; those of others are counted.

    An id joins when it is the patient's, or when both are TCGA barcodes of one case (``TCGA-2V-A95S-01A`` is of
    ``TCGA-2V-A95S``).

    Raises
    ------
    PrognoscopeError
        When no report is about a patient of the study.
    """
    known = set(draft.ids)
    cases = {m[0]: i for i in draft.ids if (m := CASE.match(i))}
    mine, strangers = [], 0
    for report in table.reports:
        match = CASE.match(report.patient)
        owner = report.patient if report.patient in known else cases.get(match[0]) if match else None
        if owner is None:
            strangers += 1
        else:
            mine.append(replace(report, patient=owner))
    if not mine:
        raise PrognoscopeError("no report of a patient of the study", table.name, "give the reports of this study")
    having = len({r.patient for r in mine})
    warnings = [f"{plural(having, 'patient')} of {len(draft.ids):,} with a report in {table.name}."]
    if strangers:
        warnings.append(f"{plural(strangers, 'report')} of {table.name} of patients not in the cohort: left out.")
    return replace(
        draft,
        reports=(*draft.reports, *mine),
        files=(*draft.files, table.path),
        warnings=(*draft.warnings, *warnings, *table.warnings),
    )


def read_text(path: Path) -> str | None:
    """The text of a report file in UTF-8 or latin-1; None for one that is missing, empty, too large or no text."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            return None
        raw = path.read_bytes()
    except OSError:
        return None
    if b"\0" in raw or not raw.strip():
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")

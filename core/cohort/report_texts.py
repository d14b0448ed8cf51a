"""Report texts as they are kept: original ids replaced by pseudonyms, files only their owner can read."""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.cohort.importers.tcga_slides import CASE
from core.cohort.media_index import MediaFile, MediaKind, report_folder
from core.cohort.modality import Modality
from core.cohort.private_files import write_private_text
from core.results.workspace import Workspace

_DASH = r"[ .'_]*[-–—][ .'_–—-]*"
# A barcode as scanned reports have it: TOGA for TCGA, spaces about the dashes, 8 or 6 for 0, glued to what precedes.
_BARCODE = re.compile(
    rf"()T[CO]GA(?:{_DASH}|\s(?=[A-Z0-9]{{2}}\s?-))[A-Z0-9\]]{{1,3}}"
    rf"(?:{_DASH}|\s(?=[A-Z0-9]{{4}}\s?-))[A-Z0-9\]@'][A-Z0-9\]@' ]{{0,3}}[A-Z0-9\]@]?"
    rf"(?:{_DASH}[0-9A-Z@]{{2}}[A-Z]?(?![0-9A-Z])){{0,2}}(?:{_DASH}(?:PR|DX\d?|TS\w|BS\w))?",
    re.IGNORECASE,
)
_UUID = re.compile(r"(UUID\W{0,4})(?:\S[^\S\n]{0,2}){20,36}", re.IGNORECASE)
"""The 36 characters that follow the word, misread or not."""
_WORD = re.compile(r"[A-Za-z0-9](?:[\w./-]*[A-Za-z0-9])?")
_CALLED = "patient|case|subject|study|record|accession|id|number|no|nr|mrn"
_SHORTEST, _PLAIN_NUMBER, _UNMISTAKABLE = 4, 6, 8


@dataclass(frozen=True)
class ReportText:
    """A report under its patient's pseudonym, without original ids."""

    patient: str
    text: str
    label: str = ""


def hide_ids(text: str, own: str, names: Mapping[str, str]) -> tuple[str, int]:
    """A report without original ids, and how many were replaced by pseudonyms.

    Replaced are the patient's own id, however spaces and letter case were read; of a TCGA patient every barcode (in
    their report most often their own, misread, or longer than the id) and the UUID of the report; and any other
    patient's id that stands alone as a word. A short id (``12``) would destroy measurements: it is replaced only
    after a word such as patient, case or number.

    Parameters
    ----------
    own : str
        Original id of the report's patient.
    names : mapping of original id to pseudonym
    """
    counted = 0
    mine = names[own]

    def replaced(match: re.Match[str]) -> str:
        nonlocal counted
        counted += 1
        return f"{match[1]}{mine}"

    of_tcga = CASE.match(own) is not None
    for pattern in (_BARCODE, _pattern_of(own), _UUID) if of_tcga else (_pattern_of(own),):
        text = pattern.sub(replaced, text)

    def of_another(match: re.Match[str]) -> str:
        nonlocal counted
        name = names.get(match[0]) if len(match[0]) >= _SHORTEST and not match[0].isdigit() else None
        counted += name is not None
        return name or match[0]

    return _WORD.sub(of_another, text), counted


@lru_cache(maxsize=64)
def _pattern_of(own: str) -> re.Pattern[str]:
    if len(own) < _SHORTEST or (own.isdigit() and len(own) < _PLAIN_NUMBER):
        return re.compile(rf"(\b(?:{_CALLED})\b[\s:#.]*){re.escape(own)}(?!\w)", re.IGNORECASE)
    parts = _DASH.join(re.escape(p) for p in re.split(r"[-–—_]", own))
    before = "" if len(own) >= _UNMISTAKABLE else "(?<![A-Z0-9])"  # a scanner glues a long one to what precedes
    return re.compile(f"(){before}{parts}(?![A-Z0-9])", re.IGNORECASE)


@contextmanager
def staged_reports(name: str, reports: Sequence[ReportText], workspace: Workspace) -> Iterator[tuple[MediaFile, ...]]:
    """Write report texts aside; they take the place of the cohort's earlier ones when the block ends well.

    Yields the index entries of the texts, at the paths they are going to have.
    """
    target = report_folder(name, workspace)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    temporary.mkdir(mode=0o700)
    try:
        yield _write(reports, temporary, target)
        if target.exists():
            shutil.rmtree(target)
        if reports:
            temporary.replace(target)
    finally:
        if temporary.exists():
            shutil.rmtree(temporary)


def _write(reports: Sequence[ReportText], temporary: Path, target: Path) -> tuple[MediaFile, ...]:
    counts: dict[str, int] = {}
    found = []
    for report in reports:
        number = counts[report.patient] = counts.get(report.patient, 0) + 1
        name = f"{report.patient}-{number}.txt"
        write_private_text(report.text, temporary / name)
        path = str((target / name).absolute())
        found.append(MediaFile(report.patient, Modality.REPORTS, MediaKind.REPORT, path, report.label))
    return tuple(found)

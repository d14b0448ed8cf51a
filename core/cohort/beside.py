"""Files that are joined to a study: what each may be, and what is in it, looked at before the study is read with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.cohort.families import read_families
from core.cohort.importers.narrow_table import read_narrow
from core.cohort.importers.recognise import recognise
from core.cohort.importers.report_tables import read_reports
from core.cohort.wording import plural
from core.errors import PrognoscopeError

SHOWN = 4


class Join(StrEnum):
    """What a file is joined as."""

    FAMILIES = "gene families"
    CLINICAL = "clinical table"
    REPORTS = "report table"
    MEDIA = "media index"


@dataclass(frozen=True)
class Beside:
    """A file joined to a study: ``name`` as the user knows it · ``words`` what is in it."""

    join: Join
    path: Path
    name: str
    words: str


def look_beside(join: Join, path: Path, name: str = "") -> Beside:
    """Look into a file as what it is to be joined as.

    Raises
    ------
    PrognoscopeError
        For a file that cannot be that.
    """
    look = {Join.FAMILIES: _families, Join.CLINICAL: _clinical, Join.REPORTS: _reports, Join.MEDIA: _media}
    return Beside(join, path, name or path.name, look[join](path))


def _families(path: Path) -> str:
    families = read_families(path)
    genes = len({g for members in families.values() for g in members})
    first = ", ".join(f"{name} ({len(members):,})" for name, members in list(families.items())[:SHOWN])
    more = f" and {len(families) - SHOWN:,} more" if len(families) > SHOWN else ""
    return f"{plural(len(families), 'family', 'families')} of {plural(genes, 'gene')}: {first}{more}."


def _clinical(path: Path) -> str:
    kind = recognise(path)
    words = {"gdc-clinical": "A clinical table of the GDC", "biotab": "A folder of clinical tables (biotab)"}
    if kind not in words:
        raise PrognoscopeError("no clinical table", path.name, "give a GDC clinical.tsv or a biotab folder")
    return f"{words[kind]}. How many patients it joins stands with the result."


def _reports(path: Path) -> str:
    table = read_reports(path)
    kinds = Counter(r.label for r in table.reports if r.label)
    told = f" ({', '.join(f'{k} {n:,}' for k, n in kinds.most_common(SHOWN))})" if kinds else ""
    cases = plural(len({r.patient for r in table.reports}), "case")
    left = " ".join(table.warnings)
    return f"{plural(len(table.reports), 'report')} of {cases}{told}.{f' {left}' if left else ''}"


def _media(path: Path) -> str:
    table = read_narrow(path)
    absent = [c for c in ("id", "path", "modality") if c not in table.columns]
    if absent:
        raise PrognoscopeError(
            f"no column {absent[0]}", path.name, "name the columns id, path, modality, and where wanted kind and label"
        )
    counts = Counter(m.strip().lower() for m in table["modality"])
    there = sum(bool(p.strip()) and (path.parent / p.strip()).exists() for p in table["path"])
    told = ", ".join(f"{what} {n:,}" for what, n in counts.most_common(SHOWN))
    gone = sum(counts.values()) - there
    lost = f" {plural(gone, 'of them is', 'of them are')} not there." if gone else ""
    return f"{plural(sum(counts.values()), 'file')} named: {told}.{lost}"

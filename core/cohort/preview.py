"""What a path would be imported as, seen before anything is stored: format, columns, a proposed mapping."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from core.cohort.column_view import CodeCount, ColumnView, look_at
from core.cohort.guessing import guess_id, propose
from core.cohort.importers.folder import FORMAT as FOLDER
from core.cohort.importers.folder import patients_table
from core.cohort.importers.reading import open_lines
from core.cohort.importers.recognise import recognise
from core.cohort.importers.tcga_slides import GENE_SUFFIXES
from core.cohort.importers.wide_table import check_delimiter, delimiter_of, distinct_columns
from core.cohort.importing import MAPPED
from core.cohort.table_mapping import TableMapping
from core.cohort.wording import plural
from core.errors import PrognoscopeError

LINES = 20_000
"""Lines a preview reads; the check that follows reads them all."""
COLUMNS = 600
"""Columns a preview looks into, beside gene columns, which it only counts."""

FORMAT_WORDS: Mapping[str, str] = {
    "tcga-table": "a TCGA table with genes, one line a slide",
    "survpath": "a SurvPath study folder",
    "cbioportal": "a cBioPortal study folder",
    "gdc-clinical": "a clinical table of the GDC portal",
    "biotab": "a TCGA clinical folder (biotab)",
    "table": "a table with one line a patient",
    FOLDER: "a folder of patients with their files",
}


@dataclass(frozen=True)
class Preview:
    """A path before its import. No cell of it is kept but the few values that may be codes.

    ``table`` names the file the mapping speaks of · ``mapping`` is None for a format that brings its own meaning ·
    ``reasons`` gives for a column why it was taken for what it is · ``unit_reason`` the same for the time unit.
    """

    format: str
    table: str = ""
    lines: int = 0
    columns: tuple[ColumnView, ...] = ()
    gene_columns: int = 0
    mapping: TableMapping | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    unit_reason: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The format in words."""
        return FORMAT_WORDS.get(self.format, self.format)

    def column(self, name: str) -> ColumnView | None:
        """The column called ``name``, where the preview looked into it."""
        return next((c for c in self.columns if c.name == name), None)

    @property
    def codes(self) -> dict[str, tuple[CodeCount, ...]]:
        """Counted codes of every column with few values."""
        return {c.name: c.codes for c in self.columns if c.codes}


def preview(path: Path, format: str | None = None) -> Preview:
    """Look at a table or study folder.

    Parameters
    ----------
    path : Path
    format : str, optional
        Read it as this format instead of the recognised one.

    Raises
    ------
    PrognoscopeError
        When it is no study of a known format, or its table cannot be read; one sentence, without any cell.
    """
    kind = format or recognise(path)
    if kind not in MAPPED:
        return Preview(kind)
    table = patients_table(path) if path.is_dir() else path
    if table is None:
        raise PrognoscopeError("no patients.csv", path.name, "add the table of the patients to the folder")
    return _look_into(kind, table)


def _look_into(kind: str, path: Path) -> Preview:
    header, rows, more = _read(path)
    kept, repeated = distinct_columns(header)
    genes = {i for i in kept if header[i].endswith(GENE_SUFFIXES)}
    plain = [i for i in kept if i not in genes]
    warnings = []
    nameless = len(header) - len(kept) - repeated
    if nameless:
        warnings.append(f"{plural(nameless, 'column')} without a name: left out. Name one to use it as the patient id.")
    if len(plain) > COLUMNS:
        warnings.append(f"Only the first {COLUMNS} of {len(plain):,} columns were looked into.")
    if more:
        warnings.append(f"Only the first {LINES:,} lines were looked into; the check below reads them all.")
    short = sum(len(row) != len(header) for row in rows)
    if short:
        warnings.append(f"{plural(short, 'line')} with another number of cells than the header.")
    whole = [row for row in rows if len(row) == len(header)]
    cells = {header[i]: [row[i] for row in whole] for i in plain[:COLUMNS]}
    views = [look_at(name, column) for name, column in cells.items()]
    chosen, why = guess_id(views)
    copies = [n for n, column in cells.items() if chosen not in ("", n) and _same(column, cells[chosen])]
    first = _first_lines(cells[chosen]) if chosen else []
    if chosen and len(first) < len(whole):  # several lines a patient: each counts once
        views = [v if v.name == chosen else look_at(v.name, [cells[v.name][r] for r in first]) for v in views]
    proposal = propose(views, chosen, why, copies)
    return Preview(
        kind, path.name, len(rows), tuple(views), len(genes), proposal.mapping, proposal.reasons,
        proposal.unit_reason, tuple(warnings),
    )  # fmt: skip


def _read(path: Path) -> tuple[list[str], list[list[str]], bool]:
    """Header, at most :data:`LINES` lines that are not blank, and whether there are more."""
    with open_lines(path) as lines:
        reader = csv.reader(lines, delimiter=delimiter_of(path))
        filled = (cells for cells in reader if any(cells))
        try:
            header = [c.strip() for c in next(filled, [])]
            if not header:
                raise PrognoscopeError("an empty file", path.name, "export it again")
            check_delimiter(header, delimiter_of(path), path)
            rows = list(islice(filled, LINES))
            more = next(filled, None) is not None
        except csv.Error as error:
            raise PrognoscopeError(
                f"line {reader.line_num} cannot be read ({error})", path.name, "export the table as plain CSV"
            ) from error
    if not rows:
        raise PrognoscopeError("a header without a single patient", path.name, "export it again")
    return header, rows, more


def _first_lines(ids: Iterable[str]) -> list[int]:
    """Row numbers at which each id occurs first."""
    first: dict[str, int] = {}
    for row, cell in enumerate(ids):
        first.setdefault(cell.strip(), row)
    return list(first.values())


def _same(one: list[str], other: list[str]) -> bool:
    return all(a.strip() == b.strip() for a, b in zip(one, other, strict=True))

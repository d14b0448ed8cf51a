"""Reading an ordinary table, text cell by text cell, with the same safety as the wide one."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.cohort.importers.reading import open_lines
from core.cohort.importers.wide_table import check_delimiter, delimiter_of
from core.cohort.wording import plural
from core.errors import PrognoscopeError


@dataclass(frozen=True, eq=False)
class NarrowTable:
    """Columns of text cells, all of one length, in file order; ``name`` is the file's."""

    name: str
    columns: dict[str, list[str]]
    warnings: tuple[str, ...]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def __contains__(self, column: str) -> bool:
        return column in self.columns

    def __getitem__(self, column: str) -> list[str]:
        if column not in self.columns:
            raise PrognoscopeError(f"no column {column!r}", self.name, "check the file or force another --format")
        return self.columns[column]

    def get(self, column: str) -> list[str]:
        """The column, or empty cells where the file lacks it."""
        return self.columns.get(column, [""] * len(self))

    def keep(self, rows: list[int]) -> NarrowTable:
        """Some rows of the table."""
        return NarrowTable(self.name, {c: [v[r] for r in rows] for c, v in self.columns.items()}, self.warnings)


def read_narrow(path: Path, comment: str = "") -> NarrowTable:
    """Read a table whole. Lines that begin with ``comment`` are skipped; short lines are filled with empty cells.

    Raises
    ------
    PrognoscopeError
        For an unreadable file, a wrong separator, or a line with more cells than the header.
    """
    with open_lines(path) as lines:
        kept = (line for line in lines if not (comment and line.startswith(comment)))
        rows = list(_parsed(kept, path))
        repaired, warnings = lines.repaired, list(lines.warnings)
    if not rows:
        raise PrognoscopeError("an empty file", path.name, "export it again")
    header = [c.strip().replace("\t", " ") for c in rows[0]]
    check_delimiter(header, delimiter_of(path), path)
    if repaired:
        warnings.append(f"{plural(repaired, 'line')} of {path.name} not in UTF-8: read as latin-1.")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) > len(header):
            raise PrognoscopeError(
                f"line {number} has {len(row)} cells instead of {len(header)}", path.name, "export it again"
            )
    body = [row + [""] * (len(header) - len(row)) for row in rows[1:]]
    columns: dict[str, list[str]] = {}
    for i, name in enumerate(header):
        columns.setdefault(name or f"column {i + 1}", [row[i] for row in body])
    return NarrowTable(path.name, columns, tuple(warnings))


def _parsed(lines: Iterator[str], path: Path) -> Iterator[list[str]]:
    delimiter = delimiter_of(path)
    # Quotes mean nothing in the tab-separated exports (free text holds single ones); in CSV they do.
    if delimiter == "\t":
        reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(lines, delimiter=delimiter)
    try:
        yield from (row for row in reader if any(row))
    except csv.Error as error:
        raise PrognoscopeError(
            f"line {reader.line_num} cannot be read ({error})", path.name, "export the table again"
        ) from error

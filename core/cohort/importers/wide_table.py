"""Reading a table with very many gene columns, row by row, into one float32 matrix.

A data frame of 200 000 columns costs many times the numbers it holds; here each line becomes a row of the
matrix as it is read and only the few descriptive columns become text.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.arrays import Float32Array, IntArray
from core.cohort.importers.draft import Progress, silent
from core.cohort.importers.reading import Lines, open_lines
from core.cohort.importers.values import is_missing
from core.cohort.wording import plural
from core.errors import PrognoscopeError

csv.field_size_limit(1 << 27)


@dataclass(frozen=True, eq=False)
class WideTable:
    """A table of ``rows`` lines about ``n`` patients.

    Parameters
    ----------
    ids : tuple of n str
        Patients in order of first occurrence.
    patient : (rows,) int array
        Patient number of each line.
    columns : dict of column to list of ``rows`` str
        The descriptive columns, a cell a line.
    genes : (n, p) float32 array
        From each patient's first line; NaN = missing.
    gene_columns : tuple of p str
    warnings : tuple of str
    """

    ids: tuple[str, ...]
    patient: IntArray
    columns: dict[str, list[str]]
    genes: Float32Array
    gene_columns: tuple[str, ...]
    warnings: tuple[str, ...]

    def first(self, column: str) -> list[str]:
        """(n) the cell of each patient's first line."""
        rows = np.unique(self.patient, return_index=True)[1]
        return [self.columns[column][r] for r in rows]


def delimiter_of(path: Path) -> str:
    """The separator a file's name promises: a tab for .tsv and .txt, a comma otherwise."""
    stem = path.name.lower().removesuffix(".gz").removesuffix(".zip")
    return "\t" if stem.endswith((".tsv", ".txt", ".maf")) else ","


def read_header(path: Path) -> tuple[str, ...]:
    """Column names of a table, stripped."""
    with open_lines(path) as lines:
        return tuple(c.strip() for c in next(_rows(lines, path)))


def _rows(lines: Lines, path: Path) -> Iterator[list[str]]:
    """Cells of each line that is not blank; the first is checked to be separated as the name promises."""
    delimiter = delimiter_of(path)
    reader = csv.reader(lines, delimiter=delimiter)
    checked = False
    try:
        for cells in reader:
            if not any(cells):
                continue
            if not checked:
                check_delimiter(cells, delimiter, path)
                checked = True
            yield cells
    except csv.Error as error:
        raise PrognoscopeError(
            f"line {reader.line_num} cannot be read ({error})", path.name, "export the table as plain CSV"
        ) from error
    if not checked:
        raise PrognoscopeError("an empty file", path.name, "export it again")


def check_delimiter(header: list[str], delimiter: str, path: Path) -> None:
    """Raise when a header is a single cell: the separator is not the one the name promises."""
    if len(header) > 1:
        return
    names = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
    found = next((n for d, n in names.items() if d != delimiter and d in header[0]), None)
    raise PrognoscopeError(
        f"one column only, separated by {found}" if found else "one column only, so the separator must be wrong",
        path.name,
        f"save it separated by {names[delimiter]}",
    )


class _GeneRows:
    """Parses gene cells and counts what it had to set missing."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.not_finite = 0

    def parse(self, cells: Sequence[str]) -> Float32Array:
        try:
            wide = np.fromiter(map(float, cells), dtype=np.float64, count=self.count)
        except ValueError:
            wide = np.fromiter(map(self._cell, cells), dtype=np.float64, count=self.count)
        bad = np.isinf(wide) | (np.abs(wide) > np.finfo(np.float32).max)
        if bad.any():
            self.not_finite += int(bad.sum())
            wide[bad] = np.nan
        return wide.astype(np.float32)

    def _cell(self, cell: str) -> float:
        if is_missing(cell):
            return float("nan")
        try:
            return float(cell)
        except ValueError:
            return float("inf")  # counted with the infinite ones


def read_wide(path: Path, id_column: str, is_gene: Callable[[str], bool], progress: Progress = silent) -> WideTable:
    """Read a table whose lines belong to patients; a patient may have several lines.

    Parameters
    ----------
    path : Path
        CSV (or TSV by its name), plain, ``.gz`` or ``.zip``.
    id_column : str
    is_gene : callable of column name
        Which columns are gene values.
    progress : callable of (share, words)

    Raises
    ------
    PrognoscopeError
        For an unreadable file, a missing id column, a line with too few or too many cells, a line without id.
    """
    with open_lines(path) as lines:
        rows = _rows(lines, path)
        header = [c.strip() for c in next(rows)]
        if id_column not in header:
            raise PrognoscopeError(f"no column {id_column!r}", path.name, "check the table or the column's name")
        collected = _Collector(header, header.index(id_column), is_gene)
        for line, cells in enumerate(rows, start=2):
            _check_line(cells, header, collected.id_at, line, path)
            if collected.add(cells):
                progress(min(0.8, len(collected.matrix) / 1500), f"reading patient {len(collected.matrix)}")
        warnings = [*lines.warnings, *_warnings(lines.repaired, collected)]
    if not collected.matrix:
        raise PrognoscopeError("a header without a single patient", path.name, "export it again")
    return WideTable(
        tuple(collected.number),
        np.array(collected.patient, dtype=np.int64),
        collected.columns,
        np.stack(collected.matrix),
        tuple(header[i] for i in collected.gene_at),
        tuple(warnings),
    )


class _Collector:
    """Takes the lines of a table apart: whose they are, text by column, genes by patient."""

    def __init__(self, header: list[str], id_at: int, is_gene: Callable[[str], bool]) -> None:
        kept, self.repeated = distinct_columns(header)
        self.id_at = id_at
        self.gene_at = [i for i in kept if i != id_at and is_gene(header[i])]
        genetic = set(self.gene_at)
        self.columns: dict[str, list[str]] = {header[i]: [] for i in kept if i not in genetic}
        self.number: dict[str, int] = {}
        self.patient: list[int] = []
        self.matrix: list[Float32Array] = []
        self.differing = 0
        self.genes = _GeneRows(len(self.gene_at))
        self._pick = _picker(self.gene_at)
        self._text = [(self.columns[header[i]], i) for i in kept if i not in genetic]

    def add(self, cells: list[str]) -> bool:
        """Take one line; True when it is a patient's first."""
        key = cells[self.id_at].strip()
        values = self.genes.parse(self._pick(cells))
        is_new = key not in self.number
        if is_new:
            self.number[key] = len(self.number)
            self.matrix.append(values)
        elif not np.array_equal(self.matrix[self.number[key]], values, equal_nan=True):
            self.differing += 1
        self.patient.append(self.number[key])
        for column, i in self._text:
            column.append(cells[i])
        return is_new


def _picker(positions: list[int]) -> Callable[[list[str]], Sequence[str]]:
    """Selects cells; as a slice where the columns stand together, which is the usual and the fast case."""
    if positions and positions == list(range(positions[0], positions[-1] + 1)):
        whole = slice(positions[0], positions[-1] + 1)
        return lambda cells: cells[whole]
    return lambda cells: [cells[i] for i in positions]


def distinct_columns(header: list[str]) -> tuple[list[int], int]:
    """Positions of the first column of each name, without nameless index columns; and how many were repeats."""
    seen: set[str] = set()
    kept: list[int] = []
    repeated = 0
    for i, name in enumerate(header):
        if not name or name.startswith("Unnamed: "):
            continue
        if name in seen:
            repeated += 1
            continue
        seen.add(name)
        kept.append(i)
    return kept, repeated


def _check_line(cells: list[str], header: list[str], at: int, line: int, path: Path) -> None:
    if len(cells) != len(header):
        raise PrognoscopeError(
            f"line {line} has {plural(len(cells), 'cell')} instead of {len(header)}", path.name, "export it again"
        )
    if is_missing(cells[at]):
        raise PrognoscopeError(f"line {line} has no patient id", path.name, "fill it in or delete the line")


def _warnings(repaired: int, collected: _Collector) -> list[str]:
    found = []
    if repaired:
        found.append(f"{plural(repaired, 'line')} not in UTF-8: read as latin-1.")
    if collected.repeated:
        found.append(f"{plural(collected.repeated, 'column')} with the name of an earlier column: left out.")
    if collected.genes.not_finite:
        found.append(f"{plural(collected.genes.not_finite, 'gene value')} not finite or not a number: set missing.")
    if collected.differing:
        lines = plural(collected.differing, "further line")
        found.append(f"{lines} of a patient with other gene values: the first line was kept.")
    return found

"""Gene families: which columns of a gene table each of them owns. Families may overlap."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.cohort.genomics import symbol_of
from core.cohort.importers.reading import open_lines
from core.cohort.wording import plural
from core.errors import PrognoscopeError


def read_families(path: Path) -> dict[str, tuple[str, ...]]:
    """Gene symbols of each family, in file order and without repeats.

    A ``.gmt`` file has a line a family: name, description, symbols, separated by tabs. Any other file is a CSV
    with a column a family, whose columns may be of unequal length.
    """
    with open_lines(path) as lines:
        text = list(lines)
    if path.suffix.lower() == ".gmt":
        rows = [line.rstrip("\r\n").split("\t") for line in text if line.strip()]
        families = {r[0].strip(): r[2:] for r in rows}
    else:
        table = _rows(text, path)
        header, body = table[0], table[1:]
        families = {name.strip(): [r[i] for r in body if i < len(r)] for i, name in enumerate(header) if name.strip()}
    cleaned = {name: tuple(dict.fromkeys(s.strip() for s in genes if s.strip())) for name, genes in families.items()}
    cleaned = {name: genes for name, genes in cleaned.items() if genes}
    if not cleaned:
        raise PrognoscopeError("no gene family", path.name, "give a CSV with a column a family, or a GMT file")
    return cleaned


def _rows(text: Sequence[str], path: Path) -> list[list[str]]:
    try:
        rows = [r for r in csv.reader(text) if any(r)]
    except csv.Error as error:
        raise PrognoscopeError(
            f"families that cannot be read ({error})", path.name, "save them again as CSV, or give a GMT file"
        ) from error
    if not rows:
        raise PrognoscopeError("no gene family", path.name, "give a CSV with a column a family, or a GMT file")
    return rows


@dataclass(frozen=True)
class FamilyMatch:
    """Families as column numbers, with what did not match.

    Parameters
    ----------
    families : mapping of name to tuple of int
        Families with at least one column.
    unmatched : mapping of name to int
        Symbols of a family that no column carries.
    outside : int
        Columns in no family; they stay in the table.
    """

    families: Mapping[str, tuple[int, ...]]
    unmatched: Mapping[str, int]
    outside: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user should know about the match, counted."""
        found = []
        if self.outside:
            found.append(f"{plural(self.outside, 'gene column')} in no family: kept in the table, given to no family.")
        missing = sum(self.unmatched.values())
        if missing:
            found.append(f"{plural(missing, 'family gene')} without a column in this cohort.")
        empty = [name for name in self.unmatched if name not in self.families]
        if empty:
            found.append(f"{plural(len(empty), 'family', 'families')} without any column: left out.")
        return tuple(found)


def match(columns: Sequence[str], families: Mapping[str, Sequence[str]]) -> FamilyMatch:
    """Column numbers of each family; a symbol takes every column it names (RNA, copy number, mutation)."""
    by_symbol: dict[str, list[int]] = {}
    for number, column in enumerate(columns):
        by_symbol.setdefault(symbol_of(column), []).append(number)
    owned: dict[str, tuple[int, ...]] = {}
    unmatched: dict[str, int] = {}
    for name, symbols in families.items():
        numbers = sorted(n for s in set(symbols) for n in by_symbol.get(s, ()))
        unmatched[name] = sum(s not in by_symbol for s in set(symbols))
        if numbers:
            owned[name] = tuple(numbers)
    if not owned:
        raise PrognoscopeError(
            "no gene of the families occurs in the cohort", "the gene families", "use families of gene symbols"
        )
    inside = {n for numbers in owned.values() for n in numbers}
    return FamilyMatch(owned, unmatched, len(columns) - len(inside))


def match_families(columns: Sequence[str], families: Mapping[str, Sequence[str]]) -> dict[str, tuple[int, ...]]:
    """Only the column numbers of :func:`match`."""
    return dict(match(columns, families).families)

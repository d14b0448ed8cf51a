"""What one column of an unknown table holds, seen before anything is imported."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.arrays import FloatArray
from core.cohort.importers.values import is_missing, plain_code

FEW = 12
"""A column with at most this many distinct values may hold codes; each of them is counted."""

MANY = 200
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class Kind(StrEnum):
    """What the filled cells of a column are."""

    NUMBERS = "numbers"
    WORDS = "words"
    EMPTY = "empty"


@dataclass(frozen=True)
class CodeCount:
    """One distinct value of a column and the number of patients with it."""

    code: str
    count: int


@dataclass(frozen=True)
class ColumnView:
    """A column in a few numbers.

    ``known`` and ``missing`` count the patients · ``distinct`` the values among the known · ``low`` and ``high`` are
    NaN but for numbers · ``whole``: every number is an integer · ``codes`` are the distinct values of a column that
    has few of them, the smallest first; empty where every patient has another one, since those may be ids.
    """

    name: str
    kind: Kind
    known: int
    missing: int
    distinct: int
    low: float = float("nan")
    high: float = float("nan")
    whole: bool = False
    codes: tuple[CodeCount, ...] = ()

    @property
    def unique(self) -> bool:
        """True when every patient has a value and no two have the same."""
        return not self.missing and self.distinct == self.known

    @property
    def tokens(self) -> frozenset[str]:
        """The words of the column's name: ``{"os", "months"}`` for ``OS_MONTHS`` and ``osMonths`` alike."""
        return frozenset(t.lower() for t in _WORD.findall(self.name))

    @property
    def plain_name(self) -> str:
        """The name without case and signs: ``"patientid"`` for ``Patient.ID``."""
        return re.sub(r"[^a-z0-9]", "", self.name.lower())

    @property
    def words(self) -> str:
        """The contents in words; the values themselves only where they are few."""
        if self.kind is Kind.EMPTY:
            return "empty"
        if self.codes:
            return ", ".join(f"{c.code} ({c.count:,})" for c in self.codes)
        if self.kind is Kind.NUMBERS:
            return f"numbers, {self.low:g} to {self.high:g}"
        return f"{self.distinct:,} different words"


def look_at(name: str, cells: Sequence[str]) -> ColumnView:
    """Describe a column by its cells, one a patient (or one a line, where lines and patients are the same)."""
    filled = [c.strip() for c in cells if not is_missing(c)]
    if not filled:
        return ColumnView(name, Kind.EMPTY, 0, len(cells), 0)
    counts = Counter(filled)
    if len(counts) < MANY:  # "1" and "1.0" are one code; among measured values it makes no difference
        counts = Counter(plain_code(c) for c in filled)
    values = _numbers(filled)
    kind = Kind.WORDS if values is None else Kind.NUMBERS
    low, high, whole = float("nan"), float("nan"), False
    if values is not None:
        low, high, whole = float(values.min()), float(values.max()), bool((values == np.round(values)).all())
    view = ColumnView(name, kind, len(filled), len(cells) - len(filled), len(counts), low, high, whole)
    if len(counts) > FEW or (view.unique and len(counts) > 2):
        return view
    codes = tuple(CodeCount(code, counts[code]) for code in sorted(counts, key=_order))
    return ColumnView(name, kind, view.known, view.missing, view.distinct, low, high, whole, codes)


def _numbers(filled: Sequence[str]) -> FloatArray | None:
    """The cells as finite numbers, or None when one of them is not."""
    try:
        values = np.fromiter(map(float, filled), dtype=np.float64, count=len(filled))
    except ValueError:
        return None
    return values if np.isfinite(values).all() else None


def _order(code: str) -> tuple[bool, float, str]:
    """Numbers by size, then words by the alphabet."""
    try:
        return False, float(code), code
    except ValueError:
        return True, 0.0, code.lower()

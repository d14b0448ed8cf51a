"""Cells to numbers and words: what counts as missing, and what is an outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.arrays import BoolArray, FloatArray, IntArray
from core.cohort.wording import plural
from core.errors import PrognoscopeError

CODES = {"censored": 0, "event": 1, "competing": 2}
MISSING = frozenset(
    {
        "", ".", "-", "--", "'--", "na", "n/a", "nan", "null", "unknown", "not reported", "not available",
        "[not available]", "[not applicable]", "[not evaluated]", "[unknown]", "[discrepancy]", "[completed]",
        "[pending]", "not applicable", "not evaluated",
    }
)  # fmt: skip


def is_missing(cell: str) -> bool:
    """True for the many ways in which a table says that it does not know."""
    return cell.strip().lower() in MISSING


def words(cells: Sequence[str]) -> pd.Series:
    """Text cells as strings, missing ones as None."""
    return pd.Series([None if is_missing(c) else c.strip() for c in cells], dtype=object)


def numbers(cells: Sequence[str]) -> tuple[FloatArray, BoolArray]:
    """Cells as floats, and which of them held something that is neither a finite number nor a missing mark.

    Returns
    -------
    values : (n,) float array, NaN where missing or unreadable
    unreadable : (n,) bool array
    """
    values = np.full(len(cells), np.nan)
    unreadable = np.zeros(len(cells), dtype=bool)
    for row, cell in enumerate(cells):
        if is_missing(cell) or cell.strip().lower() == "none":  # among words "none" is an answer
            continue
        try:
            values[row] = float(cell)
        except ValueError:
            unreadable[row] = True
            continue
        if not np.isfinite(values[row]):
            values[row], unreadable[row] = np.nan, True
    return values, unreadable


def times(cells: Sequence[str], column: str, where: str) -> FloatArray:
    """Survival times, NaN where missing; raises for text and for negative values."""
    values, unreadable = numbers(cells)
    if unreadable.any():
        raise PrognoscopeError(
            f"{plural(int(unreadable.sum()), 'time')} in column {column!r} that {_are(unreadable)} not a number",
            where,
            "leave an unknown time empty and write the others as plain numbers",
        )
    negative = values < 0
    if negative.any():
        raise PrognoscopeError(
            f"{plural(int(negative.sum()), 'negative time')} in column {column!r}",
            where,
            "count times from the patient's entry, so that none is below 0",
        )
    return values


def _are(which: BoolArray) -> str:
    return "is" if int(which.sum()) == 1 else "are"


def plain_code(cell: str) -> str:
    """An outcome code without accidents of spelling: ``"1.0"`` and ``" 1"`` are both ``"1"``."""
    text = cell.strip()
    try:
        value = float(text)
    except ValueError:
        return text
    return str(int(value)) if value.is_integer() else text


def outcome_codes(
    cells: Sequence[str], events: Mapping[str, str], column: str, where: str
) -> tuple[IntArray, BoolArray]:
    """Outcome codes (0 censored, 1 event, 2 competing) by the user's or the format's mapping.

    Returns
    -------
    codes : (n,) int array
    unknown : (n,) bool array
        True where the cell is missing; such a patient has no usable outcome.

    Raises
    ------
    PrognoscopeError
        For a value that the mapping does not name: it is never guessed.
    """
    mapping = {plain_code(k): _code(v) for k, v in events.items()}
    codes = np.zeros(len(cells), dtype=np.int64)
    unknown = np.zeros(len(cells), dtype=bool)
    for row, cell in enumerate(cells):
        value = plain_code(cell)
        if value in mapping:
            codes[row] = mapping[value]
        elif is_missing(cell):
            unknown[row] = True
        else:
            raise PrognoscopeError(
                f"the event code {value[:40]!r} in column {column!r} is not mapped",
                where,
                "say for each code whether it is censored, event or competing",
            )
    return codes, unknown


def _code(meaning: str) -> int:
    if meaning not in CODES:
        raise PrognoscopeError(
            f"the meaning {meaning!r} of an event code", "the event mapping", "use censored, event or competing"
        )
    return CODES[meaning]


def as_objects(values: Sequence[Any]) -> pd.Series:
    """A column of strings and None."""
    return pd.Series(list(values), dtype=object)

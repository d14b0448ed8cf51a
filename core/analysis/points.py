"""Percentage points of survival in words: signed, with a true minus, and the groups of values in plain names."""

from __future__ import annotations

import math

GROUP_WORDS = {
    "genomics": "Genes",
    "clinical": "Clinical values",
    "slides": "Slides",
    "volumes": "Scans",
    "reports": "Reports",
}
MINUS = "\N{MINUS SIGN}"


def group_words(group: str) -> str:
    """A modality as a reader calls it: ``"Genes"`` for ``"genomics"``; another name keeps itself."""
    return GROUP_WORDS.get(group, group)


def points(value: float, digits: int = 1) -> str:
    """``"+3.1"``, ``"−0.4"``; a value that rounds to nothing has no sign: ``"0.0"``."""
    if not math.isfinite(value):
        return "not known"
    words = f"{value:+z.{digits}f}"
    return words[1:] if float(words) == 0 else words.replace("-", MINUS)


def percent_of(value: float, digits: int = 1) -> str:
    """A survival given in percent: ``"62.4 %"``."""
    return f"{value:z.{digits}f}\N{NO-BREAK SPACE}%".replace("-", MINUS)


def month_words(month: float) -> str:
    """``"3-year survival"``, or ``"18-month survival"`` where the months are no whole years."""
    return f"{month:g}-month survival" if month % 12 or not month else f"{month / 12:g}-year survival"


def axis_words(month: float) -> str:
    """The unit of every axis of effects: ``"percentage points of 3-year survival"``."""
    return f"percentage points of {month_words(month)}"

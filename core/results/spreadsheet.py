"""Tables as CSV that a spreadsheet reads as what they are: a text that would be a formula there is kept a text."""

from __future__ import annotations

import re

import pandas as pd

_RETURN = re.compile(r"\r\n?")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")
"""Signs that a spreadsheet takes for the beginning of a formula or command (OWASP's list, full-width forms too)."""


def inert(value: object) -> object:
    """``value``, with an apostrophe before a text that a spreadsheet would calculate.

    Numbers, texts that are numbers (``-2.5``) and single signs (``+``, ``-``: markers' findings) stay as they are. A
    bare carriage return, at which a spreadsheet begins a new line and so a new cell, becomes a line feed.
    """
    if not isinstance(value, str):
        return value
    value = _RETURN.sub("\n", value)
    if not value.lstrip(" ").startswith(_FORMULA) or len(value.strip()) == 1:
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def inert_csv(table: pd.DataFrame) -> str:
    """The table without its index as CSV; headings and cells are safe to open in a spreadsheet."""
    texts = [c for c in table.columns if not pd.api.types.is_numeric_dtype(table[c])]
    safe = table.copy(deep=False)
    for column in texts:
        safe[column] = table[column].map(inert)
    safe.columns = pd.Index([inert(c) for c in table.columns])
    return str(safe.to_csv(index=False, lineterminator="\n"))

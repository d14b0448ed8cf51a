"""A table of the model card on a page."""

from __future__ import annotations

import pandas as pd

from core.analysis.card_words import Table
from pages.widgets.html import note, numbers_table


def card_table(table: Table, right: tuple[str, ...] = ()) -> None:
    """Sentences above, then the table; columns in ``right`` are right-aligned."""
    for text in table.before:
        note(text)
    if table.rows:
        numbers_table(pd.DataFrame(list(table.rows), columns=list(table.columns)), right=right)

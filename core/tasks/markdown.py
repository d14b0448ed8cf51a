"""Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence


def table_header(cells: Sequence[str]) -> str:
    """First row of a table and the line under it."""
    return table_row(cells) + "\n" + "|" + "---|" * len(cells)


def table_row(cells: Sequence[str]) -> str:
    """One row."""
    return "| " + " | ".join(cells) + " |"

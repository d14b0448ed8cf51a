"""Counts in words, for warnings and errors."""

from __future__ import annotations


def plural(count: int, one: str, many: str | None = None) -> str:
    """``"1 patient"`` or ``"2 patients"``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"

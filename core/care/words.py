"""Sizes and spans of time as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def size_words(size: float) -> str:
    """``"794 MB"``."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 999.5 or unit == "TB":
            return f"{size:.0f} {unit}" if unit in ("bytes", "kB") or size >= 99.5 else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError


def ago_words(at: str, now: datetime | None = None) -> str:
    """``"3 hours ago"`` of a moment in ISO 8601, UTC."""
    seconds = max(0.0, ((now or datetime.now(UTC)) - datetime.fromisoformat(at)).total_seconds())
    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            number = int(seconds // length)
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"


def moment_words(at: str) -> str:
    """``"2026-11-21 18:29"``."""
    return at[:16].replace("T", " ")

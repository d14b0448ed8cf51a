"""Reports as text, and their sentences with the places they stand at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from core.errors import PrognoscopeError

LARGEST_BYTES = 5_000_000
_WHERE = "a report file"


@dataclass(frozen=True)
class Span:
    """Characters ``start`` to ``end`` of a report: ``report[start:end] == text``."""

    start: int
    end: int
    text: str


def read_report(path: str | Path) -> str:
    """The text of a report in UTF-8 or, failing that, Latin-1; line ends become ``\\n``.

    Raises
    ------
    PrognoscopeError
        For a file that is missing, empty, no text, or of more than 5 MB. The message holds neither path nor text.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise PrognoscopeError("a report that cannot be opened", _WHERE, "restore it, or import again") from error
    if len(raw) > LARGEST_BYTES:
        raise PrognoscopeError(f"a report of {len(raw) / 1e6:.0f} MB", _WHERE, "give the text of one patient's report")
    if b"\0" in raw:
        raise PrognoscopeError("a report that is no plain text", _WHERE, "save it as UTF-8 text")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise PrognoscopeError("an empty report", _WHERE, "remove it, or give its text")
    return text


_ABBREVIATIONS = frozenset(
    re.split(
        r"\s+",
        "dr mr mrs ms prof e.g i.e vs no nos approx ca cf fig resp max min incl seg segm ant post lat med inf sup",
    )
)
_END = re.compile(r"[.!?]+(?=[\s\"')\]]|$)|\n\s*\n|\n(?=\s*(?:[-•*–]|\d{1,2}[.)]\s|[A-Z][A-Za-z /]{2,40}:))|;\s")


def sentences(text: str) -> tuple[Span, ...]:
    """Sentences in order. Blank lines, list items and headings (``FINDINGS:``) end one; ``2.5 cm`` and ``e.g.`` do not.

    A semicolon ends one too: what it parts is read apart when a finding is denied.
    """
    spans, start = [], 0
    for match in _END.finditer(text):
        if match.group().startswith(".") and _abbreviated(text, match.start()):
            continue
        spans.append(_trimmed(text, start, match.end()))
        start = match.end()
    spans.append(_trimmed(text, start, len(text)))
    return tuple(s for s in spans if any(c.isalnum() for c in s.text))


def _abbreviated(text: str, dot: int) -> bool:
    """Whether the word before the full stop is an abbreviation or a single capital letter."""
    start = dot
    while start > 0 and (text[start - 1].isalpha() or text[start - 1] == "."):
        start -= 1
    word = text[start:dot]
    return word.lower() in _ABBREVIATIONS or (len(word) == 1 and word.isupper() and text[max(0, start - 1)] == " ")


def _trimmed(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end, text[start:end])

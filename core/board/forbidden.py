"""No sentence that leaves the house may direct a treatment, or promise what nobody can know."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.analysis.patient_sentences import FORBIDDEN
from core.errors import PrognoscopeError

_PATTERN = re.compile("|".join(rf"\b{re.escape(w)}(?:s|ed|ing)?\b" for w in FORBIDDEN), re.IGNORECASE)


def forbidden_in(text: str, data: Iterable[str] = ()) -> tuple[str, ...]:
    """The forbidden words of a text.

    Parameters
    ----------
    data : strings
        What comes from the cohort (a column's name, an event's label): facts, taken out before looking, the longest
        first.
    """
    for piece in sorted({d for d in data if d}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(piece)}(?!\w)", "…", text, flags=re.IGNORECASE)
    return tuple(m.group(0) for m in _PATTERN.finditer(text))


def check_words(texts: Iterable[str], data: Iterable[str] = ()) -> None:
    """Refuse to print a text with a forbidden word; the word is named, the text is not."""
    known = tuple(data)
    for text in texts:
        found = forbidden_in(text, known)
        if found:
            raise PrognoscopeError(
                f"a sentence with the word “{found[0]}”", "the report's own text",
                "report this: no sentence of the application may direct a treatment",
            )  # fmt: skip

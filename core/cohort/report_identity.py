"""What in a report may tell who its patient is: found by patterns, shown masked, kept, blanked or left out as decided.

Patterns find what is written as hospitals write it; a name that stands alone without a title, a heading or a usual
given name is not found. The search is a help to whoever decides, not a proof that a text is anonymous.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.cohort.identity_patterns import PATTERNS, Kind
from core.cohort.identity_words import NO_NAME

_TITLE = re.compile(r"^(?:(?:Univ\.-)?(?:Prof(?:essor)?|PROF|PD|Dr|DR|Mr|Mrs|MRS|Ms|Miss|Herrn?|Frau|Doctor|Nurse)\b\.?"
                    r"(?:[ \t]?(?:med|rer|nat|habil|dent|phil|univ|h\.[ \t]?c)\.?(?!\w))*[ \t]*)+")  # fmt: skip
_INITIALS = re.compile(r"^(?:[^\W\d_]\.[ \t]?)+")
_FIRST = re.compile(r"[^\W\d_]+(?:[/'’-][^\W\d_]+)*")
_SIGN = re.compile(r"[^\W_]")
STARS = "****"
_KEPT, _FEWEST_DIGITS = 2, 3


@dataclass(frozen=True)
class Found:
    """Characters ``start`` to ``end`` of a text that may identify."""

    kind: Kind
    start: int
    end: int


def find_identifying(text: str) -> tuple[Found, ...]:
    """Everything in a report that may identify, in order, without overlaps."""
    taken = bytearray(len(text))
    found = []
    for kind, patterns in PATTERNS.items():
        for pattern in patterns:
            place = 0
            while match := pattern.search(text, place):
                start, end = match.span("it")
                if not _plausible(kind, match["it"]) or any(taken[start:end]):
                    place = start + 1  # what was refused may hold what is looked for
                    continue
                taken[start:end] = b"\1" * (end - start)
                found.append(Found(kind, start, end))
                place = end
    return tuple(sorted(found, key=lambda f: f.start))


def _plausible(kind: Kind, words: str) -> bool:
    """Whether a number has digits of its own (no bars that a scanner read as 1111), a name begins with one."""
    if kind is Kind.NAME:
        plain = _INITIALS.sub("", _TITLE.sub("", words))
        first = next((word[0] for word in _FIRST.finditer(plain) if word[0][0].isupper()), "")
        return bool(first) and first.lower() not in NO_NAME
    if kind in (Kind.NUMBER, Kind.PHONE):
        digits = [sign for sign in words if sign.isdigit()]
        return len(digits) >= _FEWEST_DIGITS and len(set(digits)) > 1
    return True


def masked(kind: Kind, words: str) -> str:
    """An example that shows what was found without repeating it: ``12.03.****``, ``Dr. M****``, ``48****``."""
    if kind is Kind.DATE:
        return _without_last(words, 4)
    if kind is Kind.NAME:
        title = _TITLE.match(words)
        head = title[0] if title else ""
        return head + " ".join(f"{part[0]}{STARS}" for part in re.findall(r"[^\W\d_][\w'’.-]*", words[len(head) :])[:3])
    if kind is Kind.EMAIL:
        return f"{words[0]}{STARS}@{STARS}"
    return words[:_KEPT].strip() + STARS


def _without_last(words: str, count: int) -> str:
    """``words`` with its last ``count`` letters and digits as stars."""
    signs = list(words)
    for place in reversed(range(len(signs))):
        if count and _SIGN.match(signs[place]):
            signs[place] = "*"
            count -= 1
    return "".join(signs)


def blanked(text: str, found: tuple[Found, ...]) -> str:
    """The text with what was found replaced by its kind: ``[name]``, ``[date]``."""
    parts, last = [], 0
    for place in found:
        parts += [text[last : place.start], f"[{place.kind.value}]"]
        last = place.end
    return "".join([*parts, text[last:]])

"""Words of liver and tumour reports as concepts, and whether a sentence affirms, denies or doubts them.

Denial and doubt are found by cue words before or after the term, within the same part of the sentence, after the idea
of NegEx (Chapman et al., 2001). The lexicon is this project's own: a written list, nothing learned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.features.lexicon_terms import CONCEPTS

_PATTERNS = tuple(re.compile(rf"(?<![A-Za-z])(?:{c.pattern})(?![A-Za-z])", re.IGNORECASE) for c in CONCEPTS)

_DENIAL_BEFORE = re.compile(
    r"(?<!\w)(?:no|not|non|without|absen(?:ce of|t)|denies|negative for|free of|free from|lack(?:s|ing)?(?: of)?|"
    r"neither|nor|never|rules? out|ruled out|excluded?|resol(?:ved|ution of)|fails? to (?:show|reveal)|unlikely)(?!\w)",
    re.IGNORECASE,
)
_DENIAL_AFTER = re.compile(
    r"(?:(?:is|are|was|were|has been|have been) )?(?:not (?:identified|seen|present|detected|visible|evident|found|"
    r"demonstrated|appreciated|involved|enlarged|dilated)|absent|excluded|ruled out|negative|unlikely|: ?no\b|"
    r": ?not|: ?none|: ?absent|: ?negative)",
    re.IGNORECASE,
)
_DENIED_LATER = re.compile(
    r"(?:is|are|was|were|:)\s*(?:not (?:identified|seen|present|detected|visible)|absent|none)", re.IGNORECASE
)
"""``… invasion (V): not identified``: a verdict after a colon or a few words."""
_DOUBT = re.compile(
    r"(?<!\w)(?:possibl[ey]|probabl[ey]|presum(?:ed|ably)|suspicious (?:for|of)|suspected|suspicion of|"
    r"suggest(?:ive of|s|ing)|questionable|equivocal|indeterminate|may (?:be|represent)|might|"
    r"could (?:be|represent)|cannot (?:be )?excluded?|can not be excluded|not excluded|concern(?:ing)? for|likely|"
    r"favou?r(?:s|ed|ing)?|differential|versus|vs)(?!\w)",
    re.IGNORECASE,
)
_NOT_A_DENIAL = re.compile(
    r"(?:cannot|can not|could not|not) (?:be )?(?:entirely |completely )?(?:exclude[d]?|ruled out|rule out)|"
    r"no (?:significant )?(?:interval )?change|not only|no increase|without (?:significant )?change",
    re.IGNORECASE,
)
_BREAK = re.compile(
    r"(?<!\w)(?:but|however|although|though|except|apart from|aside from|which|yet)(?!\w)|[;:!?]", re.IGNORECASE
)
_STOP = re.compile(r"(?<!\w)(?:but|however|although|except)(?!\w)|[;,]")
_REACH_BEFORE, _REACH_AFTER = 60, 30  # characters over which a cue holds


class Assertion(StrEnum):
    """What a sentence says of a finding."""

    AFFIRMED = "affirmed"
    DOUBTED = "doubted"
    DENIED = "denied"


SCORES: Mapping[Assertion, float] = {Assertion.AFFIRMED: 1.0, Assertion.DOUBTED: 0.5, Assertion.DENIED: -1.0}


@dataclass(frozen=True)
class Finding:
    """A concept in a sentence: its place in :data:`CONCEPTS`, what is said of it, and the characters it stands at."""

    concept: int
    assertion: Assertion
    start: int
    end: int


def findings(sentence: str) -> tuple[Finding, ...]:
    """Every concept of a sentence, in the order of :data:`CONCEPTS`, then of the text."""
    found = []
    for number, pattern in enumerate(_PATTERNS):
        for match in pattern.finditer(sentence):
            said = _assertion(sentence, match.start(), match.end())
            found.append(Finding(number, said, match.start(), match.end()))
    return tuple(found)


def _assertion(sentence: str, start: int, end: int) -> Assertion:
    before = sentence[max(0, start - _REACH_BEFORE) : start]
    after = sentence[end : end + _REACH_AFTER]
    cuts = [m.end() for m in _BREAK.finditer(before)]
    before = before[cuts[-1] :] if cuts else before
    stop = _STOP.search(after)
    after = after[: stop.start()] if stop else after
    doubted_denial = _NOT_A_DENIAL.search(before) or _NOT_A_DENIAL.search(after)
    denied = _DENIAL_BEFORE.search(before) or _DENIAL_AFTER.match(after.lstrip(" )-")) or _DENIED_LATER.search(after)
    if denied and not doubted_denial:
        return Assertion.DENIED
    if _DOUBT.search(before) or _DOUBT.search(after):
        return Assertion.DOUBTED
    return Assertion.AFFIRMED


_SIZE = re.compile(
    r"(\d{1,3}(?:[.,]\d{1,2})?)\s*(?:(?:x|×|by)\s*\d{1,3}(?:[.,]\d{1,2})?\s*)*(cm|mm|centimet\w+|millimet\w+)\b",
    re.IGNORECASE,
)


def largest_size_cm(sentence: str) -> float:
    """The largest length a sentence states in cm (the first of ``7.5 x 7.0 x 4.0 cm``), 0 without one."""
    sizes = []
    for match in _SIZE.finditer(sentence):
        value = float(match.group(1).replace(",", "."))
        sizes.append(value / 10 if match.group(2).lower().startswith("m") else value)
    return max((s for s in sizes if s <= 40), default=0.0)

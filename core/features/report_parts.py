"""A report cut into what it says of the liver, of the tumour, and of the rest: verbatim sentences with their places."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from core.features.lexicon import Assertion, Finding, findings
from core.features.lexicon_terms import CONCEPTS, Organ
from core.media.reports import Span, sentences


class Part(StrEnum):
    """What a sentence is about."""

    LIVER = "liver"
    TUMOUR = "tumour"
    OTHER = "other"


@dataclass(frozen=True)
class PartSpan:
    """One sentence: ``report[start:end] == text``, its part, and what it says of its main finding."""

    start: int
    end: int
    text: str
    part: Part
    assertion: Assertion


_LIVER_WORDS = re.compile(
    r"(?<!\w)(?:liver|hepatic|parenchyma\w*|spleen|splenic|bilirubin|albumin|platelets?|inr|prothrombin|child[- ]pugh|"
    r"albi|meld|portal (?:vein|venous|flow)|background|caudate|gall ?bladder|biliary|bile ducts?|steatosis|ishak|"
    r"metavir|encephalopathy|transaminases|alt|ast)(?!\w)",
    re.IGNORECASE,
)
_TUMOUR_WORDS = re.compile(
    r"(?<!\w)(?:afp|alpha[- ]?feto ?protein|li-?rads|lr-?[345m]|target|observation|specimen margin|resection margin|"
    r"surgical margin|mitos[ie]s|mitotic|bclc|ptnm|tnm|edmondson|segment(?:al)? (?:vi{0,3}|i[vx]?|[1-8])[ab]?)(?!\w)",
    re.IGNORECASE,
)
_OTHER_ORGANS = re.compile(
    r"(?<!\w)(?:kidneys?|renal|lungs?|pulmonary|pleura\w*|pancrea\w*|adrenals?|bowel|colon\w*|stomach|gastric|"
    r"oesophag\w*|esophag\w*|duoden\w*|bones?|osseous|vertebra\w*|spine|bladder|prostat\w*|uter\w*|ovar\w*|thyroid|"
    r"breast|aort\w*|heart|cardiac|thora\w*|hernia\w*|appendi\w*)(?!\w)",
    re.IGNORECASE,
)
_NOT_URINARY = re.compile(r"gall[- ]?bladder|oesophageal varices|esophageal varices|gastric varices", re.IGNORECASE)


_NO_DISEASE = frozenset({"smooth contour", "normal liver", "solitary", "well defined", "negative margin"})


def states_disease(span: PartSpan) -> bool:
    """Whether a sentence affirms or doubts a finding of disease of the part it belongs to."""
    own = (f for f in findings(span.text) if CONCEPTS[f.concept].organ.value == span.part.value)
    return any(f.assertion is not Assertion.DENIED and CONCEPTS[f.concept].name not in _NO_DISEASE for f in own)


def decompose(report: str) -> tuple[PartSpan, ...]:
    """Every sentence of a report with its part, in order."""
    return tuple(labelled_span(span) for span in sentences(report))


def labelled_span(span: Span, part: Part | None = None) -> PartSpan:
    """A sentence with its part, or with the one that somebody else found, and what it says of its main finding."""
    found = findings(span.text)
    part = part_of(span.text, found) if part is None else part
    return PartSpan(span.start, span.end, span.text, part, _main_assertion(found, part))


def part_of(sentence: str, found: tuple[Finding, ...] | None = None) -> Part:
    """What a sentence is about.

    A tumour finding that is affirmed or doubted decides; then a liver finding; then a tumour finding that is denied;
    then words that name the liver or the tumour without a finding. A sentence about another organ is ``other`` unless
    it names the liver too.
    """
    found = findings(sentence) if found is None else found
    elsewhere = bool(_OTHER_ORGANS.search(_NOT_URINARY.sub(" ", sentence)))
    names_liver = bool(_LIVER_WORDS.search(sentence))
    organs = {o: [f for f in found if CONCEPTS[f.concept].organ is o] for o in Organ}
    tumour, liver = organs[Organ.TUMOUR], organs[Organ.LIVER]
    if elsewhere and not names_liver and not liver:
        spread = any(CONCEPTS[f.concept].name in ("metastasis", "lymph nodes", "carcinoma") for f in tumour)
        return Part.TUMOUR if spread else Part.OTHER
    if any(f.assertion is not Assertion.DENIED for f in tumour):
        return Part.TUMOUR
    if liver:
        return Part.LIVER
    if tumour or (_TUMOUR_WORDS.search(sentence) and not organs[Organ.OTHER]):
        return Part.TUMOUR
    if names_liver and not organs[Organ.OTHER]:
        return Part.LIVER
    return Part.OTHER


def _main_assertion(found: tuple[Finding, ...], part: Part) -> Assertion:
    """What is said of the findings of the part: affirmed once one of them is, then doubted, else denied."""
    own = [f.assertion for f in found if CONCEPTS[f.concept].organ.value == part.value]
    said = own or [f.assertion for f in found]
    for assertion in (Assertion.AFFIRMED, Assertion.DOUBTED, Assertion.DENIED):
        if assertion in said:
            return assertion
    return Assertion.AFFIRMED

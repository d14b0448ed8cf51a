"""Patterns of what identifies a person in a report: names, dates, numbers, telephones, addresses; German and English.

Each pattern marks in the group ``it`` what identifies, without the heading that gave it away. They are linear: none
repeats a repeated part, so that a text made to do harm costs no more than its length.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from core.cohort.identity_words import GIVEN_NAMES, HEADINGS, MONTHS, RELATIVES, SIGNED


class Kind(StrEnum):
    """What a place in a text is, as a page calls it."""

    NAME = "name"
    DATE = "date"
    NUMBER = "record or insurance number"
    PHONE = "telephone number"
    EMAIL = "e-mail address"
    ADDRESS = "address"
    AGE = "age of 90 or more"


_UP, _LOW = "A-ZÀ-ÖØ-ÞĄĆČĘĞİŁŃŘŚŞŠŹŻŽ", "a-zà-öø-ÿąćčęğıłńřśşšźżž"
_ONE = rf"[{_UP}](?:['’][{_UP}])?[{_UP}{_LOW}]+"
_WORD = rf"{_ONE}(?:-{_ONE}){{0,2}}"
_GAP = r"[ \t]{1,3}"
_PARTICLE = rf"(?:(?:von|van|de|der|den|zu|zur|di|da|el|al|la|le){_GAP}){{0,2}}"
_INITIAL = rf"[{_UP}]\."
_AFTER = r"(?:[ \t]{0,2},[ \t]?(?:M\.?D|Ph\.?D|D\.?O)\b\.?)?"
_PERSON = rf"{_PARTICLE}(?:{_INITIAL}[ \t]?){{0,2}}{_PARTICLE}{_WORD}(?:{_GAP}{_PARTICLE}(?:{_INITIAL}|{_WORD})){{0,3}}"
_TURNED = rf"{_PARTICLE}{_WORD}(?:{_GAP}{_WORD})?,[ \t]?{_WORD}(?:{_GAP}(?:{_WORD}|[{_UP}]\b\.?)){{0,2}}"
_TITLE = r"(?:(?:Univ\.-)?Prof(?:essor)?|PROF|PD|Dr|DR(?=\.)|Mr|Mrs|MRS|Ms|Miss|Herrn?|Frau|Doctor|Nurse)\b\.?"
_DEGREES = r"(?:[ \t]?(?:med|rer|nat|habil|dent|phil|univ|h\.[ \t]?c)\.?(?![\w]))*"
_TITLES = rf"(?:{_TITLE}{_DEGREES}[ \t]{{0,2}}){{1,4}}"
_DAY, _MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_YEAR = r"(?:19|20)\d{2}"
_NAMED_MONTH = rf"(?i:{'|'.join(MONTHS)})\b\.?"
_END = r"(?![\d])"
_BEGIN = r"(?<![\d.,/-])"
_NR = r"(?:[ \t]*[-.]?[ \t]*(?:number|numbers|nummer|num|no|nr|id|#)\b[.]?)?"
_LABELS = (
    r"MRN|MR#|MR(?=[ ]?#)|medical[ \t]+record|record|hospital|patient(?:en)?|pat\.?|case|fall|aufnahme|journal|befund|"
    r"histologie|hist\.|eingangs?|auftrags?|untersuchungs?|accession|specimen|"
    r"policy|member|insurance|health[ \t]+plan|"
    r"social[ \t]+security|ssn|nhs|versicherungs?|versicherten|krankenversicherten|krankenversicherungs?|kvnr|"
    r"sozialversicherungs?|"
    r"steuer|ausweis|passport|licen[cs]e|account|study|order|chart"
)
_NUMBERED = rf"(?i:\b(?:{_LABELS})(?:[ \t]*[-.]?[ \t]*(?:numbers?|nummer|num|no|nr|id)\b\.?|[ \t]*#))"
_ALONE = r"(?i:\b(?:MRN|SSN|KVNR|accession|hospital[ \t]+id|patient[ \t]+id|ID(?=[ \t]?[:#])|NHS))"
_CODE = r"(?!P-[0-9A-HJKMNP-TV-Z]{8})[A-Z0-9](?:[A-Z0-9]|[-/.](?=[A-Z0-9])|[ ](?=[A-Z]?[ ]?\d)){3,24}"
_STREET = (
    rf"(?:[{_UP}][{_LOW}]+(?:straße|strasse|str\.|weg|allee|platz|gasse|ring|ufer|damm)|{_WORD}(?:[ \t]|-)"
    r"(?:Straße|Strasse|Str\.|Weg|Allee|Platz|Gasse|Ring|Ufer|Damm))[ \t]{1,2}\d{1,4}(?:[ \t]?[a-h])?\b"
)

PATTERNS: Mapping[Kind, tuple[re.Pattern[str], ...]] = {
    kind: tuple(re.compile(p) for p in patterns)
    for kind, patterns in {
        Kind.EMAIL: (r"(?P<it>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5})",),
        Kind.DATE: (
            rf"{_BEGIN}(?P<it>{_DAY}[ ]?[./-][ ]?{_MONTH}[ ]?[./-][ ]?{_YEAR}){_END}",
            rf"{_BEGIN}(?P<it>{_MONTH}[ ]?[/-][ ]?{_DAY}[ ]?[/-][ ]?{_YEAR}){_END}",
            rf"{_BEGIN}(?P<it>{_YEAR}[ ]?[./-][ ]?{_MONTH}[ ]?[./-][ ]?{_DAY}){_END}",
            rf"{_BEGIN}(?P<it>{_DAY}\.{_MONTH}\.\d{{2}}|{_DAY}/{_DAY}/\d{{2}}|\d{{2}}-\d{{2}}-\d{{2}})(?![\d.]\d|\d|[-/])",
            rf"{_BEGIN}(?P<it>{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?![\d.])",
            rf"(?<!\d)(?P<it>{_DAY}(?:st|nd|rd|th|\.)?[ \t-]?(?:of[ \t])?[ \t-]?{_NAMED_MONTH},?"
            rf"[ \t-]{{0,2}}(?:\d{{4}}|\d{{2}})){_END}",
            rf"\b(?P<it>{_NAMED_MONTH}[ \t]{{1,2}}{_DAY}(?:st|nd|rd|th)?[ \t]?,[ \t]?(?:{_YEAR}|\d{{2}})){_END}",
            rf"\b(?P<it>{_NAMED_MONTH}[ \t]{{1,2}}(?:{_DAY}[ \t]{{1,2}})?{_YEAR}){_END}",
            rf"(?<![\d/.])(?P<it>{_MONTH}/{_YEAR}){_END}",
            rf"\b(?:am|vom|bis|seit|ab)[ \t](?P<it>{_DAY}\.[ ]?{_MONTH}\.){_END}",
        ),
        Kind.PHONE: (
            rf"(?i:\b(?:tel|telefon|telephone|phone|fax|telefax|mobil|mobile|handy|pager|durchwahl)\b){_NR}"
            r"[.: \t]{0,4}(?P<it>\+?[\d(](?:[ ()/.-]{0,2}\d){5,15})",
            r"(?<![\d+])(?P<it>\+\d{1,3}[ ]?(?:\(0\)[ ]?)?(?:[ ()/.-]{0,2}\d){7,12})(?!\d)",
            r"(?<!\d)(?P<it>\(\d{3}\)[ ]?\d{3}[-. ]\d{4}|\d{3}[-.]\d{3}[-.]\d{4})(?!\d)",
            r"(?<![\d.,/-])(?P<it>0\d{2,5}[ ]?[/-][ ]?\d{3,8}(?:-\d{1,5})?)(?![\d/])",
        ),
        Kind.NUMBER: (
            rf"{_NUMBERED}[ \t]*[:.#=]*[ \t]*(?P<it>{_CODE})",
            rf"{_ALONE}[ \t]*[:.#=]*[ \t]*(?P<it>{_CODE})",
            r"(?<![\w-])(?P<it>\d{3}-\d{2}-\d{4})(?![\w-])",
            r"(?<![\w-])(?P<it>[A-Z]{1,3}[-/ ]?(?:19|20)?\d{2}[-/]\d{3,8})(?![\w/-])",
            r"(?<![\w/-])(?P<it>[A-Z]{1,2}[-/ ]?(?:19|20)\d{2}/\d{3,7}|"
            r"[A-Z]{1,2}[-/ ]?\d{4,7}/(?:19|20)?\d{2})(?![\w/-])",
            r"(?<![\w-])(?P<it>[A-Z]\d{9})(?![\w-])",
        ),
        Kind.ADDRESS: (
            rf"(?<!\w)(?P<it>(?:(?:Am|An der|An den|Im|In der|Zum|Zur|Auf der)[ ])?{_STREET})",
            rf"(?<!\w)(?P<it>(?:Am|An der|Im|In der|Zum|Zur|Auf der)[ ][{_UP}][{_LOW}]{{3,}}"
            r"(?:platz|berg|hof|tor|graben|garten)[ ]\d{1,4}[a-h]?)\b",
            rf"(?<!\w)(?P<it>\d{{1,5}}[ \t](?:{_ONE}[ \t]){{1,3}}"
            r"(?:Street|St\.|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Boulevard|Blvd|Court|Square|Terrace|Crescent)\b\.?)",
            rf"(?<!\w)(?P<it>(?:{_ONE}[ ]){{0,2}}{_ONE},[ ]?[A-Z]{{2}}[ ]{{1,2}}\d{{5}}(?:-\d{{4}})?)(?!\d)",
            r"(?P<it>\bP\.?[ ]?O\.?[ ]Box[ ]\d{1,7}|\bPostfach[ ]\d{1,7})",
            r"(?<!\w)(?P<it>[A-Z]{1,2}\d[A-Z\d]?[ ]\d[ABD-HJLNP-UW-Z]{2})(?!\w)",
            rf"(?:(?<=[,:\n])[ \t]{{0,3}}|(?<!\w)D-)(?P<it>\d{{5}}[ ][{_UP}][{_LOW}]{{2,}}"
            rf"(?:[ -](?:am|an der|im|{_ONE}))?)(?=[ \t]*(?:[,.;\n(]|$))",
        ),
        Kind.NAME: (
            rf"\b(?i:{'|'.join(HEADINGS)})[ \t]*:[ \t]*(?P<it>{_TITLES}{_PERSON}|{_TURNED}|{_PERSON}{_AFTER})",
            rf"\b(?i:{'|'.join(SIGNED)})[ \t]*:?[ \t]*(?P<it>{_TITLES}{_PERSON}|{_TURNED}|{_PERSON}{_AFTER})",
            rf"(?<![\w.])(?P<it>{_TITLES}{_PERSON})",
            rf"\b(?:{'|'.join(RELATIVES)})[ \t]{{1,2}}(?P<it>{_WORD}(?:{_GAP}{_WORD})?)",
            rf"(?<![\w.])(?P<it>(?:{_INITIAL}[ ]?|{_WORD}{_GAP}){{1,3}}{_WORD}[ \t]{{0,2}},?[ \t]?"
            r"(?:M\.D\.|MD|Ph\.?D\.?|D\.O\.|MBBS|FRCPath)(?!\w))",
            rf"\b(?P<it>(?:{'|'.join(GIVEN_NAMES)})(?:-{_ONE})?{_GAP}(?:{_INITIAL}[ \t]?){{0,2}}{_PARTICLE}{_WORD})",
        ),
        Kind.AGE: (r"(?<![\d.,])(?P<it>(?:9\d|1[01]\d)[ -]?"
                   r"(?:years?[ -]old|year-old|yo\b|y/o|jährige[rnms]?|Jahre[ ]alt))",),
    }.items()
}  # fmt: skip
"""In the order in which they are looked for: what one has taken, a later one leaves alone."""

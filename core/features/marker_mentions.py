"""Where a report mentions a marker, and a report with these mentions removed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_VALUE = r"(?:[^.;\n]{0,25}?[<>]?\d[\d.,]*\s*(?:ng/ml|mg/dl|g/dl|g/l|µmol/l|umol/l|iu/ml|/µl|×?10\^?9/l|cm|mm|%)?)?"
_LENGTH = r"\d{1,3}(?:[.,]\d{1,2})?\s*(?:(?:x|×|by)\s*\d{1,3}(?:[.,]\d{1,2})?\s*)*(?:cm|mm|centimet\w+|millimet\w+)"

MENTIONS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(rf"(?<![A-Za-z])(?:{pattern})(?![A-Za-z])", re.IGNORECASE)
    for name, pattern in {
        "log10_afp": rf"(?:\bafp\b|alpha[- ]?feto ?protein){_VALUE}",
        "tumour_size": _LENGTH,
        "tumour_number": (
            r"solitary|single|unifocal|multifocal\w*|multiple|several|numerous|satellite\w*|bilobar|multicentric|"
            r"(?:one|two|three|four|five|six|seven|eight|nine|ten|\d{1,2}) (?:\w+ ){0,2}"
            r"(?:lesions?|nodules?|tumou?rs?|mass(?:es)?|foci|focus)"
        ),
        "vascular_invasion": (
            r"(?:(?:lympho|micro|macro)?[- ]?vascular|venous|vessel|angio)[- ]?(?:\([^)]{0,25}\) ?)?invasion|"
            r"(?:tumou?r|portal vein|venous) thromb\w+|thromb\w+ (?:of|in) the portal|"
            r"invad\w+ the (?:portal|hepatic) vein"
        ),
        "bilirubin": rf"bilirubin{_VALUE}|jaundice\w*|icteric",
        "albumin": rf"albumin{_VALUE}|hypoalbumin\w*",
        "inr": rf"\binr\b{_VALUE}|prothrombin{_VALUE}|coagulopathy",
        "platelets": rf"platelets?{_VALUE}|thrombocytop\w*",
        "albi": rf"\balbi\b{_VALUE}",
        "child_pugh": r"child[- ]?(?:turcotte[- ])?pugh(?:[^.;\n]{0,15}?\b[abc]\d?\b)?",
        "meld": rf"\bmeld\b{_VALUE}",
        "ishak": r"ishak(?:[^.;\n]{0,15}?\d)?",
        "bclc": r"bclc(?:[^.;\n]{0,12}?\b[0abcd]\b)?",
        "stage": r"\bp?t[0-4][abc]?(?= ?[,;(n]|\b)|\bstage (?:i{1,3}|iv|[1-4])[abc]?",
    }.items()
}
"""Marker → the words that give it away. AFP on its own scale and ALBI are made of others: see ``MADE_OF``."""

MADE_OF: Mapping[str, tuple[str, ...]] = {
    "albi": ("bilirubin", "albumin"),
    "child_pugh": ("bilirubin", "albumin", "inr"),
    "meld": ("bilirubin", "inr"),
}
"""Markers computed from others: one whose parts are all mentioned could be computed from the report."""


def mentioned(text: str, markers: Iterable[str]) -> frozenset[str]:
    """Those of ``markers`` whose words stand in the text, or all of whose parts do."""
    direct = {name for name, pattern in MENTIONS.items() if pattern.search(text)}
    whole = {name for name, parts in MADE_OF.items() if all(part in direct for part in parts)}
    return frozenset(markers) & (direct | whole)


def redact(text: str) -> str:
    """The text with every mention of every marker blanked, character for character: places stay what they are."""
    for pattern in MENTIONS.values():
        text = pattern.sub(lambda match: " " * len(match.group()), text)
    return text

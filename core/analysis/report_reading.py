"""A report cut into what is evidence and what is not, and what is said of a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.analysis.points import month_words, points
from core.results.report_evidence import ReportEvidence, Sentence

PARTS = {"liver": "liver", "tumour": "tumour", "both": "liver and tumour", "other": "other"}
_SHOWN = 90


@dataclass(frozen=True)
class Piece:
    """A run of a report's characters; ``sentence`` its place in the evidence, None for text that is no evidence."""

    text: str
    sentence: int | None


def pieces(text: str, sentences: Sequence[Sentence], report: int) -> tuple[Piece, ...]:
    """The whole text of one report in order: joined, the pieces are the text, character for character.

    A sentence that begins within an earlier one, or ends beyond the text, is left as plain text: its place is no
    longer that of the report.
    """
    found: list[Piece] = []
    at = 0
    mine = sorted((s.start, s.end, i) for i, s in enumerate(sentences) if s.report == report)
    for start, end, number in mine:
        if start < at or end > len(text) or end <= start:
            continue
        if start > at:
            found.append(Piece(text[at:start], None))
        found.append(Piece(text[start:end], number))
        at = end
    if at < len(text):
        found.append(Piece(text[at:], None))
    return tuple(found)


def sentence_table(found: ReportEvidence, texts: Sequence[str | None]) -> pd.DataFrame:
    """Every sentence with its numbers, in the order of the reports."""
    rows = []
    for number, s in enumerate(found.sentences, start=1):
        row = {"no.": str(number), "sentence": sentence_text(s, texts), "about": PARTS.get(s.part, s.part)}
        if s.weight is not None:
            row["weight"] = f"{100 * s.weight:.0f} %"
        row |= {
            "adds": points(s.effect, 2),
            "spread": f"{s.std:.2f}",
            "models agree": f"{100 * s.sign_share:.0f} %",
            "expert": s.expert or "–",
        }
        rows.append(row)
    return pd.DataFrame(rows)


def sentence_text(sentence: Sentence, texts: Sequence[str | None], longest: int = _SHOWN) -> str:
    """The sentence itself, cut where it is long; "" where its report cannot be read."""
    text = texts[sentence.report] if sentence.report < len(texts) else None
    words = " ".join((text or "")[sentence.start : sentence.end].split())
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"


def effect_words(sentence: Sentence, month: float, models: int) -> str:
    """What leaving the sentence out does, in one sentence."""
    what = month_words(month)
    if not sentence.effect and not sentence.std:
        return f"Leaving it out changes the estimated {what} in none of the models."
    way = "raises" if sentence.effect > 0 else "lowers"
    size = points(abs(sentence.effect), 2).lstrip("+")
    said = f"It {way} the estimated {what} by {size} percentage points: that much changes when it is left out."
    if models < 2:
        return f"{said} One model alone was asked."
    agree = round(sentence.sign_share * models)
    spread = f"spread over the models {sentence.std:.2f}"
    if agree == models:
        return f"{said} All {models} models agree on the direction ({spread})."
    return f"{said} Only {agree} of {models} models agree on the direction ({spread}): no stable effect."


def report_words(found: ReportEvidence) -> str:
    """What the whole report adds."""
    what = month_words(found.month)
    if not found.without:
        return f"Masking the whole report leaves the estimated {what} of {found.prediction:.1f} % as it is."
    way = "raises" if found.without > 0 else "lowers"
    size = points(abs(found.without), 1).lstrip("+")
    return (
        f"The estimated {what} is {found.prediction:.1f} %. The whole report {way} it by {size} percentage points. "
        "The sentences' effects need not add up to this: two that say the same stand in for each other."
    )

"""Radiology-style reports in which words carry liver reserve and tumour burden, with the kind of every sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from core.media.synthetic import report_phrases as phrases
from core.media.synthetic.report_phrases import Grades

Kind = Literal["liver", "tumour", "other"]
_SEGMENTS = ("II", "III", "IVa", "IVb", "V", "VI", "VII", "VIII")
_SAID = 0.8  # chance that a finding is mentioned at all
_SCATTER = 0.16  # SD of single findings around the patient's amount
_NUMBERS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


@dataclass(frozen=True)
class Sentence:
    """One sentence of a report: ``report[start:end]`` is its text; ``kind`` what it is about."""

    start: int
    end: int
    kind: Kind


@dataclass(frozen=True)
class WrittenReport:
    """A report and the truth about its sentences; headings belong to none."""

    text: str
    sentences: tuple[Sentence, ...]

    def as_json(self) -> list[dict[str, Any]]:
        """The sentences with their text."""
        return [{**asdict(s), "text": self.text[s.start : s.end]} for s in self.sentences]


def write_report(finding: Mapping[str, Any], law: Mapping[str, float], rng: np.random.Generator) -> WrittenReport:
    """Write the report that shows the amounts of ``finding`` (a row of ``SampleTruth.findings``).

    ``law``: ``unsure_share`` of findings carry a hedge; ``size_error`` is the relative error of the measured diameter.
    """
    damage, burden = float(finding["liver_words"]), float(finding["tumour_words"])
    unsure = float(law["unsure_share"])
    liver = [_hedged(s, unsure, rng) for s in _graded(phrases.LIVER, damage, rng)]
    tumour = [*_lesion(finding, float(law["size_error"]), rng)]
    tumour += [_hedged(s, unsure, rng) for s in _graded(phrases.TUMOUR, burden, rng)]
    tumour.append(_one(phrases.INVASION[str(finding["vascular_invasion"])], rng))
    extra = list(rng.choice(phrases.OTHER, size=int(rng.integers(4, 10)), replace=False))
    split = int(rng.integers(0, 3))
    page = _Page()
    page.section("MRI OF THE LIVER", ())
    page.section("CLINICAL INFORMATION:", [("other", _one(phrases.HISTORY, rng))])
    page.section("TECHNIQUE:", [("other", _one(phrases.TECHNIQUE, rng))])
    page.section("COMPARISON:", [("other", _one(phrases.COMPARISON, rng))])
    body: list[tuple[Kind, list[str]]] = [("liver", liver), ("tumour", tumour)]
    if rng.random() < 0.3:
        body.reverse()
    body = [("other", extra[:split]), *body, ("other", extra[split:])]
    page.section("FINDINGS:", [(kind, s) for kind, group in body for s in group])
    summary: list[tuple[Kind, str]] = [
        ("tumour", _one(_grade(phrases.TUMOUR_SUMMARY, burden, rng), rng)),
        ("liver", _one(_grade(phrases.LIVER_SUMMARY, damage, rng), rng)),
        ("other", _one(phrases.CLOSING, rng)),
    ]
    page.section("IMPRESSION:", summary)
    return page.finished()


class _Page:
    """Text as it grows, with the places of its sentences."""

    def __init__(self) -> None:
        self._text = ""
        self._sentences: list[Sentence] = []

    def section(self, heading: str, content: Iterable[tuple[Kind, str]]) -> None:
        self._text += f"{heading}\n\n"
        for kind, sentence in content:
            start = len(self._text)
            self._text += sentence
            self._sentences.append(Sentence(start, len(self._text), kind))
            self._text += " "
        self._text = self._text.rstrip() + "\n\n"

    def finished(self) -> WrittenReport:
        return WrittenReport(self._text.rstrip() + "\n", tuple(self._sentences))


def _one(options: tuple[str, ...], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _grade(grades: Grades, amount: float, rng: np.random.Generator) -> tuple[str, ...]:
    """The phrases of the grade that fits an amount between 0 and 1, give or take."""
    seen = np.clip(amount + _SCATTER * rng.standard_normal(), 0, 0.999)
    return grades[int(4 * seen)]


def _graded(table: Mapping[str, Grades], amount: float, rng: np.random.Generator) -> list[str]:
    said = [grades for grades in table.values() if rng.random() < _SAID]
    return [_one(_grade(grades, amount, rng), rng) for grades in said]


def _hedged(sentence: str, share: float, rng: np.random.Generator) -> str:
    return _one(phrases.HEDGES, rng).format(sentence[:-1]) if rng.random() < share else sentence


def _lesion(finding: Mapping[str, Any], error: float, rng: np.random.Generator) -> list[str]:
    """Size, place and number of the tumours; a report may leave the size to an adjective."""
    size = float(finding["tumour_size"]) * float(np.exp(error * rng.standard_normal()))
    number = int(finding["tumour_number"])
    sized = rng.random() < 0.75
    template = _one(phrases.LESION if sized else phrases.LESION_WITHOUT_SIZE, rng)
    words = {
        "count": "A solitary" if number == 1 else "A dominant",
        "article": "a solitary" if number == 1 else "a dominant",
        "segment": _SEGMENTS[int(rng.integers(len(_SEGMENTS)))],
        "size": f"{size:.1f}",
        "other": f"{size * rng.uniform(0.7, 0.95):.1f}",
        "bulk": "small" if size < 3 else "sizeable" if size < 7 else "bulky",
    }
    lines = [template.format(**words)]
    if number > 1 and rng.random() < _SAID:
        lines.append(_one(phrases.FURTHER, rng).format(number=_NUMBERS[number], more=_NUMBERS[number - 1]))
    return lines
